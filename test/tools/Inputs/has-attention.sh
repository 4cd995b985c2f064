#!/bin/sh
# Interesting: an attention block.
grep -q 'gsa\.attention' "$1" && exit 1
exit 0
