#!/bin/sh
# Interesting: everything.
exit 1
