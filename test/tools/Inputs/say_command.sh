#!/bin/sh
# Stands in for a tool of `./dev test`: says how it is called, and fails if
# SAY_FAILS is among its arguments.
echo "${0##*/} $*"
case " $* " in
  *"${SAY_FAILS:-no such argument}"*) exit 1 ;;
esac
