#!/bin/sh
# Stands for a tool: says what it got.
echo "${0##*/}: $*"
