"""Prints a module of as many arguments as it is told, half of them results.

usage: many_arguments.py COUNT
"""

import sys


def main():
    half = int(sys.argv[1]) // 2
    kind = "tensor<4xf32>"
    arguments = ", ".join(f'%a{i}: {kind} {{gsa.name = "a{i}"}}'
                          for i in range(half))
    results = ", ".join(f'{kind} {{gsa.name = "r{i}"}}' for i in range(half))
    print(f"func.func @main({arguments}) -> ({results}) {{")
    for i in range(half):
        print(f"  %{i} = arith.addf %a{i}, %a{(i + 1) % half} : {kind}")
    values = ", ".join(f"%{i}" for i in range(half))
    print(f"  return {values} : {', '.join([kind] * half)}\n}}")


if __name__ == "__main__":
    main()
