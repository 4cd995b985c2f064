#!/bin/sh
# Interesting: a selection with a bias, and with forced local keys.
grep -q 'gsa\.select.* bias ' "$1" && grep -q 'local = 2' "$1" && exit 1
exit 0
