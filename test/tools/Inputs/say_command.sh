#!/bin/sh
# Stands in for a tool of `./dev test`: says how it is called, and fails if
# SAY_FAILS is among its arguments. With -V it says so as ctest has what a test
# prints, with the number of the test.
case " $* " in
  *" -V "*) echo "1: ${0##*/} $*" ;;
  *) echo "${0##*/} $*" ;;
esac
case " $* " in
  *"${SAY_FAILS:-no such argument}"*) exit 1 ;;
esac
