"""The text that is learned: bytes of files that Debian packages ship."""

import glob
import os

import torch

# Name: (the package that has it, pattern of its files).
PLACES = {
    # On every Debian: 250 KB, enough to see a loss fall.
    "licenses": ("base-files", "/usr/share/common-licenses/*"),
    # The manual of Perl, 8 MB, for runs of hours.
    "perl": ("perl-doc", "/usr/share/perl/*/pod/perl*.pod"),
}
BLOCK = 4096  # Bytes; every tenth block is held out.


def read(places):
    """(bytes to learn, bytes that are held out), uint8 tensors, of names of
    PLACES and of files. Raises SystemExit with what is missing."""
    files = []
    for place in places:
        if place not in PLACES:
            if not os.path.isfile(place):
                raise SystemExit(f"--text: got {place!r}, expected a file or one "
                                 f"of {', '.join(PLACES)}")
            files.append(place)
            continue
        package, pattern = PLACES[place]
        # Links are other names of files that are there.
        found = [path for path in sorted(glob.glob(pattern))
                 if os.path.isfile(path) and not os.path.islink(path)]
        if not found:
            raise SystemExit(
                f"--text: got {place}, but no file is {pattern}; expected those "
                f"of the Debian package {package}: apt-get install {package}, or "
                f"--text FILE")
        files += found
    data = bytearray()
    for path in files:
        with open(path, "rb") as file:
            data += file.read()
    if len(data) < 20 * BLOCK:
        raise SystemExit(f"--text: got {len(data)} bytes in {len(files)} files, "
                         f"expected at least {20 * BLOCK}")
    blocks = torch.frombuffer(data, dtype=torch.uint8).split(BLOCK)
    return (torch.cat([b for i, b in enumerate(blocks) if i % 10 != 9]),
            torch.cat([b for i, b in enumerate(blocks) if i % 10 == 9]))


def batch(data, step, *, size, context, seed):
    """(tokens, tokens that follow them), int64 [size, context], which are a
    function of step and seed alone: a run that is resumed sees the same."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    first = torch.randint(len(data) - context, (size, 1), generator=generator)
    window = data[first + torch.arange(context + 1)].long()
    return window[:, :-1].contiguous(), window[:, 1:].contiguous()
