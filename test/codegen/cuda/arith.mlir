// RUN: gsa-translate --gsa-tile-to-cuda %s | FileCheck %s
// RUN: %if nvrtc %{ gsa-translate --resource-usage --refuse-spills %s | FileCheck %s --check-prefix=USAGE %}

// Operators, their precedence, and what C++ spells otherwise than arith.

// CHECK-LABEL: void floats(
gsa_tile.kernel @floats(%x: !gsa_tile.global<f32, read> loc("x"),
                        %y: !gsa_tile.global<f32, write> loc("y"),
                        %n: i64 loc("n")) attributes {warps = 1 : i64} {
  gsa_tile.for_each %i below %n {
    %a = gsa_tile.load %x[%i] : !gsa_tile.global<f32, read>, i64 loc("a")
    %half = arith.constant 0.5 : f32
    %third = arith.constant 0.333333343 : f32
    %tiny = arith.constant 1.0e-45 : f32
    %minus = arith.constant -2.0 : f32
    // A tree of single uses is one expression, parenthesised as it must be.
    // CHECK: store(y, i, (a + 0.5f) * (a - (0.5f - a)) / (a * 0.33333334f));
    %0 = arith.addf %a, %half : f32
    %1 = arith.subf %half, %a : f32
    %2 = arith.subf %a, %1 : f32
    %3 = arith.mulf %0, %2 : f32
    %4 = arith.mulf %a, %third : f32
    %5 = arith.divf %3, %4 : f32
    gsa_tile.store %5, %y[%i] : !gsa_tile.global<f32, write>, i64
    // Two uses get a name.
    // CHECK: const float negf = -a;
    // CHECK: store(y, i, -(-2.0f * negf) + -negf * 1e-45f);
    %6 = arith.negf %a : f32
    %7 = arith.mulf %minus, %6 : f32
    %8 = arith.negf %7 : f32
    %9 = arith.negf %6 : f32
    %10 = arith.mulf %9, %tiny : f32
    %11 = arith.addf %8, %10 : f32
    gsa_tile.store %11, %y[%i] : !gsa_tile.global<f32, write>, i64
    // CHECK: store(y, i, maximum(minimum(a, 0.5f), fmaxf(fminf(a, -2.0f), a)));
    %12 = arith.minimumf %a, %half : f32
    %13 = arith.minnumf %a, %minus : f32
    %14 = arith.maxnumf %13, %a : f32
    %15 = arith.maximumf %12, %14 : f32
    gsa_tile.store %15, %y[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

// CHECK-LABEL: void compares(
gsa_tile.kernel @compares(%a: f32 loc("a"), %b: f32 loc("b"),
                          %y: !gsa_tile.global<f32, write> loc("y"),
                          %n: i64 loc("n")) attributes {warps = 1 : i64} {
  gsa_tile.for_each %i below %n {
    // Unordered predicates are true on NaN.
    // CHECK: store(y, i, a > b ? a : !(a <= b) ? b : a);
    %ogt = arith.cmpf ogt, %a, %b : f32
    %ugt = arith.cmpf ugt, %a, %b : f32
    %0 = arith.select %ugt, %b, %a : f32
    %1 = arith.select %ogt, %a, %0 : f32
    gsa_tile.store %1, %y[%i] : !gsa_tile.global<f32, write>, i64
    // CHECK: store(y, i, a < b || a > b ? a : b);
    %one = arith.cmpf one, %a, %b : f32
    %2 = arith.select %one, %a, %b : f32
    gsa_tile.store %2, %y[%i] : !gsa_tile.global<f32, write>, i64
    // CHECK: store(y, i, a != b && !(a < b || a > b) ? a : b);
    %une = arith.cmpf une, %a, %b : f32
    %ueq = arith.cmpf ueq, %a, %b : f32
    %and = arith.andi %une, %ueq : i1
    %3 = arith.select %and, %a, %b : f32
    gsa_tile.store %3, %y[%i] : !gsa_tile.global<f32, write>, i64
    // CHECK: store(y, i, (a == a && b == b) != (a != a || b != b) ? a : b);
    %ord = arith.cmpf ord, %a, %b : f32
    %uno = arith.cmpf uno, %a, %b : f32
    %xor = arith.xori %ord, %uno : i1
    %4 = arith.select %xor, %a, %b : f32
    gsa_tile.store %4, %y[%i] : !gsa_tile.global<f32, write>, i64
    // CHECK: store(y, i, !(a >= b || a == b) ? a : b);
    %true = arith.constant true
    %oge = arith.cmpf oge, %a, %b : f32
    %oeq = arith.cmpf oeq, %a, %b : f32
    %or = arith.ori %oge, %oeq : i1
    %not = arith.xori %or, %true : i1
    %5 = arith.select %not, %a, %b : f32
    gsa_tile.store %5, %y[%i] : !gsa_tile.global<f32, write>, i64
  }
  gsa_tile.return
}

// CHECK-LABEL: void integers(
gsa_tile.kernel @integers(%a: i32 loc("a"), %b: i64 loc("b"), %k: index loc("k"),
                          %y: !gsa_tile.global<i32, write> loc("y"))
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : i32
  %least = arith.constant -2147483648 : i32
  %large = arith.constant 5000000000 : i64
  // i32 wraps; with nsw it does not need to.
  // CHECK: store(y, 0, (int)((unsigned)a * 3u));
  %0 = arith.muli %a, %c3 : i32
  gsa_tile.store %0, %y[%c0] : !gsa_tile.global<i32, write>, index
  // CHECK: store(y, 0, a * 3 - (-2147483647 - 1));
  %1 = arith.muli %a, %c3 overflow<nsw> : i32
  %2 = arith.subi %1, %least overflow<nsw> : i32
  gsa_tile.store %2, %y[%c0] : !gsa_tile.global<i32, write>, index
  // CHECK: store(y, 0, (int)((unsigned)a / 3u));
  %3 = arith.divui %a, %c3 : i32
  gsa_tile.store %3, %y[%c0] : !gsa_tile.global<i32, write>, index
  // CHECK: store(y, 0, ceil_div(a, 3) % floor_div(a, 3) >> 3);
  %4 = arith.ceildivsi %a, %c3 : i32
  %5 = arith.floordivsi %a, %c3 : i32
  %6 = arith.remsi %4, %5 : i32
  %7 = arith.shrsi %6, %c3 : i32
  gsa_tile.store %7, %y[%c0] : !gsa_tile.global<i32, write>, index
  // index is int: no conversion from i32; 64 bits need one.
  // CHECK: store(y, k + a, (int)((b & 5000000000ll) + (long long)k));
  %8 = arith.index_cast %a : i32 to index
  %9 = arith.addi %k, %8 : index
  %10 = arith.andi %b, %large : i64
  %11 = arith.index_cast %k : index to i64
  %12 = arith.addi %10, %11 : i64
  %13 = arith.trunci %12 : i64 to i32
  gsa_tile.store %13, %y[%9] : !gsa_tile.global<i32, write>, index
  // CHECK: store(y, 0, min(a, max(3, (unsigned)a < (unsigned)3 ? a : 3)));
  %14 = arith.minui %a, %c3 : i32
  %15 = arith.maxsi %c3, %14 : i32
  %16 = arith.minsi %a, %15 : i32
  gsa_tile.store %16, %y[%c0] : !gsa_tile.global<i32, write>, index
  // CHECK: store(y, 0, (unsigned)a < (unsigned)3 || a == 3 ? (int)(a <= 3) : -(int)(a > 3));
  %ult = arith.cmpi ult, %a, %c3 : i32
  %eq = arith.cmpi eq, %a, %c3 : i32
  %or = arith.ori %ult, %eq : i1
  %sle = arith.cmpi sle, %a, %c3 : i32
  %sgt = arith.cmpi sgt, %a, %c3 : i32
  %17 = arith.extui %sle : i1 to i32
  %18 = arith.extsi %sgt : i1 to i32
  %19 = arith.select %or, %17, %18 : i32
  gsa_tile.store %19, %y[%c0] : !gsa_tile.global<i32, write>, index
  gsa_tile.return
}

// CHECK-LABEL: void conversions(
gsa_tile.kernel @conversions(%x: !gsa_tile.global<bf16, read> loc("x"),
                             %y: !gsa_tile.global<bf16, write> loc("y"),
                             %z: !gsa_tile.global<f16, write> loc("z"),
                             %d: f64 loc("d"), %k: i32 loc("k"))
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: const bf16 a = load(x, 0);
  %a = gsa_tile.load %x[%c0] : !gsa_tile.global<bf16, read>, index loc("a")
  // 16-bit arithmetic is float's, rounded.
  // CHECK: store(y, 0, to_bf16(to_float(a) * to_float(to_bf16(0.5f))));
  %half = arith.constant 0.5 : bf16
  %0 = arith.mulf %a, %half : bf16
  gsa_tile.store %0, %y[%c0] : !gsa_tile.global<bf16, write>, index
  // CHECK: store(z, 0, to_f16(to_float(a) + 1.0f));
  %1 = arith.extf %a : bf16 to f32
  %one = arith.constant 1.0 : f32
  %2 = arith.addf %1, %one : f32
  %3 = arith.truncf %2 : f32 to f16
  gsa_tile.store %3, %z[%c0] : !gsa_tile.global<f16, write>, index
  // One rounding from 64 bits and from integers.
  // CHECK: store(y, 0, convert_to<bf16>(d));
  %4 = arith.truncf %d : f64 to bf16
  gsa_tile.store %4, %y[%c0] : !gsa_tile.global<bf16, write>, index
  // CHECK: store(z, 0, convert_to<f16>(k));
  %5 = arith.sitofp %k : i32 to f16
  gsa_tile.store %5, %z[%c0] : !gsa_tile.global<f16, write>, index
  // CHECK: store(z, 0, convert_to<f16>((unsigned)k));
  %6 = arith.uitofp %k : i32 to f16
  gsa_tile.store %6, %z[%c0] : !gsa_tile.global<f16, write>, index
  // CHECK: store(z, 0, to_f16((float)(d + (double)k)));
  %7 = arith.sitofp %k : i32 to f64
  %8 = arith.addf %d, %7 : f64
  %9 = arith.truncf %8 : f64 to f32
  %10 = arith.truncf %9 : f32 to f16
  gsa_tile.store %10, %z[%c0] : !gsa_tile.global<f16, write>, index
  // CHECK: store(z, 0, convert_to<f16>((int)bit_cast<float>(k)));
  %11 = arith.bitcast %k : i32 to f32
  %12 = arith.fptosi %11 : f32 to i32
  %13 = arith.sitofp %12 : i32 to f16
  gsa_tile.store %13, %z[%c0] : !gsa_tile.global<f16, write>, index
  gsa_tile.return
}

// CHECK-LABEL: void specials(
gsa_tile.kernel @specials(%y: !gsa_tile.global<f32, write> loc("y"),
                          %z: !gsa_tile.global<f64, write> loc("z"))
    attributes {warps = 1 : i64} {
  %c0 = arith.constant 0 : index
  // CHECK: store(y, 0, infinity<float>());
  %inf = arith.constant 0x7F800000 : f32
  gsa_tile.store %inf, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(y, 0, -infinity<float>());
  %minus = arith.constant 0xFF800000 : f32
  gsa_tile.store %minus, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(y, 0, quiet_nan<float>());
  %nan = arith.constant 0x7FC00000 : f32
  gsa_tile.store %nan, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(y, 0, bit_cast<float>(0xffc00001u));
  %other = arith.constant 0xFFC00001 : f32
  gsa_tile.store %other, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(y, 0, -0.0f);
  %zero = arith.constant -0.0 : f32
  gsa_tile.store %zero, %y[%c0] : !gsa_tile.global<f32, write>, index
  // CHECK: store(z, 0, 0.1);
  %tenth = arith.constant 0.1 : f64
  gsa_tile.store %tenth, %z[%c0] : !gsa_tile.global<f64, write>, index
  // CHECK: store(z, 0, 1e+300);
  %large = arith.constant 1.0e300 : f64
  gsa_tile.store %large, %z[%c0] : !gsa_tile.global<f64, write>, index
  gsa_tile.return
}

// USAGE: sm_80 specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_86 specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_89 specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_90a specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_100a specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
// USAGE: sm_120 specials registers={{[0-9]+}} stack=0 spill_stores=0 spill_loads=0 static_smem=0
