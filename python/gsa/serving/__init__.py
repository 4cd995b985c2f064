"""Gated Sparse Attention inside of inference servers: plug-ins for vLLM and
SGLang, which find them by the entry points of the installed package.

gsa.serving.paged   attention over a cache of pages, which both share
gsa.serving.vllm    attention backend and layer
gsa.serving.sglang  attention backend

docs/guides/serving.md says what they take, what they refuse and what of them
ran where.
"""
