//===- wgmma_registers.cuh - operand lists of wgmma -*- CUDA -*-===//
//
// An asm statement is a literal with one operand per register, so that each
// width N has lists of its own. As macros they cost a kernel nothing until
// GSA_WGMMA of wgmma.cuh expands them (docs/rationale/wgmma.md). Of an
// accumulator of N columns, d[N / 8][4]:
//
//   GSA_WGMMA_D<N>        "%0, %1, ...", its registers in the instruction
//   GSA_WGMMA_S<N>        the same as operands that are read and written
//   GSA_WGMMA_I<N>(text)  text(...) of the numbers of the seven operands behind
//                         them, the first of which is N / 2
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DEVICE_PTX_WGMMA_REGISTERS_CUH
#define GSA_DEVICE_PTX_WGMMA_REGISTERS_CUH

#define GSA_WGMMA_SUM(j) \
  "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])

#define GSA_WGMMA_D8 "%0, %1, %2, %3"
#define GSA_WGMMA_D16 GSA_WGMMA_D8 ", %4, %5, %6, %7"
#define GSA_WGMMA_D24 GSA_WGMMA_D16 ", %8, %9, %10, %11"
#define GSA_WGMMA_D32 GSA_WGMMA_D24 ", %12, %13, %14, %15"
#define GSA_WGMMA_D40 GSA_WGMMA_D32 ", %16, %17, %18, %19"
#define GSA_WGMMA_D48 GSA_WGMMA_D40 ", %20, %21, %22, %23"
#define GSA_WGMMA_D56 GSA_WGMMA_D48 ", %24, %25, %26, %27"
#define GSA_WGMMA_D64 GSA_WGMMA_D56 ", %28, %29, %30, %31"
#define GSA_WGMMA_D72 GSA_WGMMA_D64 ", %32, %33, %34, %35"
#define GSA_WGMMA_D80 GSA_WGMMA_D72 ", %36, %37, %38, %39"
#define GSA_WGMMA_D88 GSA_WGMMA_D80 ", %40, %41, %42, %43"
#define GSA_WGMMA_D96 GSA_WGMMA_D88 ", %44, %45, %46, %47"
#define GSA_WGMMA_D104 GSA_WGMMA_D96 ", %48, %49, %50, %51"
#define GSA_WGMMA_D112 GSA_WGMMA_D104 ", %52, %53, %54, %55"
#define GSA_WGMMA_D120 GSA_WGMMA_D112 ", %56, %57, %58, %59"
#define GSA_WGMMA_D128 GSA_WGMMA_D120 ", %60, %61, %62, %63"
#define GSA_WGMMA_D136 GSA_WGMMA_D128 ", %64, %65, %66, %67"
#define GSA_WGMMA_D144 GSA_WGMMA_D136 ", %68, %69, %70, %71"
#define GSA_WGMMA_D152 GSA_WGMMA_D144 ", %72, %73, %74, %75"
#define GSA_WGMMA_D160 GSA_WGMMA_D152 ", %76, %77, %78, %79"
#define GSA_WGMMA_D168 GSA_WGMMA_D160 ", %80, %81, %82, %83"
#define GSA_WGMMA_D176 GSA_WGMMA_D168 ", %84, %85, %86, %87"
#define GSA_WGMMA_D184 GSA_WGMMA_D176 ", %88, %89, %90, %91"
#define GSA_WGMMA_D192 GSA_WGMMA_D184 ", %92, %93, %94, %95"
#define GSA_WGMMA_D200 GSA_WGMMA_D192 ", %96, %97, %98, %99"
#define GSA_WGMMA_D208 GSA_WGMMA_D200 ", %100, %101, %102, %103"
#define GSA_WGMMA_D216 GSA_WGMMA_D208 ", %104, %105, %106, %107"
#define GSA_WGMMA_D224 GSA_WGMMA_D216 ", %108, %109, %110, %111"
#define GSA_WGMMA_D232 GSA_WGMMA_D224 ", %112, %113, %114, %115"
#define GSA_WGMMA_D240 GSA_WGMMA_D232 ", %116, %117, %118, %119"
#define GSA_WGMMA_D248 GSA_WGMMA_D240 ", %120, %121, %122, %123"
#define GSA_WGMMA_D256 GSA_WGMMA_D248 ", %124, %125, %126, %127"

#define GSA_WGMMA_S8 GSA_WGMMA_SUM(0)
#define GSA_WGMMA_S16 GSA_WGMMA_S8, GSA_WGMMA_SUM(1)
#define GSA_WGMMA_S24 GSA_WGMMA_S16, GSA_WGMMA_SUM(2)
#define GSA_WGMMA_S32 GSA_WGMMA_S24, GSA_WGMMA_SUM(3)
#define GSA_WGMMA_S40 GSA_WGMMA_S32, GSA_WGMMA_SUM(4)
#define GSA_WGMMA_S48 GSA_WGMMA_S40, GSA_WGMMA_SUM(5)
#define GSA_WGMMA_S56 GSA_WGMMA_S48, GSA_WGMMA_SUM(6)
#define GSA_WGMMA_S64 GSA_WGMMA_S56, GSA_WGMMA_SUM(7)
#define GSA_WGMMA_S72 GSA_WGMMA_S64, GSA_WGMMA_SUM(8)
#define GSA_WGMMA_S80 GSA_WGMMA_S72, GSA_WGMMA_SUM(9)
#define GSA_WGMMA_S88 GSA_WGMMA_S80, GSA_WGMMA_SUM(10)
#define GSA_WGMMA_S96 GSA_WGMMA_S88, GSA_WGMMA_SUM(11)
#define GSA_WGMMA_S104 GSA_WGMMA_S96, GSA_WGMMA_SUM(12)
#define GSA_WGMMA_S112 GSA_WGMMA_S104, GSA_WGMMA_SUM(13)
#define GSA_WGMMA_S120 GSA_WGMMA_S112, GSA_WGMMA_SUM(14)
#define GSA_WGMMA_S128 GSA_WGMMA_S120, GSA_WGMMA_SUM(15)
#define GSA_WGMMA_S136 GSA_WGMMA_S128, GSA_WGMMA_SUM(16)
#define GSA_WGMMA_S144 GSA_WGMMA_S136, GSA_WGMMA_SUM(17)
#define GSA_WGMMA_S152 GSA_WGMMA_S144, GSA_WGMMA_SUM(18)
#define GSA_WGMMA_S160 GSA_WGMMA_S152, GSA_WGMMA_SUM(19)
#define GSA_WGMMA_S168 GSA_WGMMA_S160, GSA_WGMMA_SUM(20)
#define GSA_WGMMA_S176 GSA_WGMMA_S168, GSA_WGMMA_SUM(21)
#define GSA_WGMMA_S184 GSA_WGMMA_S176, GSA_WGMMA_SUM(22)
#define GSA_WGMMA_S192 GSA_WGMMA_S184, GSA_WGMMA_SUM(23)
#define GSA_WGMMA_S200 GSA_WGMMA_S192, GSA_WGMMA_SUM(24)
#define GSA_WGMMA_S208 GSA_WGMMA_S200, GSA_WGMMA_SUM(25)
#define GSA_WGMMA_S216 GSA_WGMMA_S208, GSA_WGMMA_SUM(26)
#define GSA_WGMMA_S224 GSA_WGMMA_S216, GSA_WGMMA_SUM(27)
#define GSA_WGMMA_S232 GSA_WGMMA_S224, GSA_WGMMA_SUM(28)
#define GSA_WGMMA_S240 GSA_WGMMA_S232, GSA_WGMMA_SUM(29)
#define GSA_WGMMA_S248 GSA_WGMMA_S240, GSA_WGMMA_SUM(30)
#define GSA_WGMMA_S256 GSA_WGMMA_S248, GSA_WGMMA_SUM(31)

#define GSA_WGMMA_I8(text) text(4, 5, 6, 7, 8, 9, 10)
#define GSA_WGMMA_I16(text) text(8, 9, 10, 11, 12, 13, 14)
#define GSA_WGMMA_I24(text) text(12, 13, 14, 15, 16, 17, 18)
#define GSA_WGMMA_I32(text) text(16, 17, 18, 19, 20, 21, 22)
#define GSA_WGMMA_I40(text) text(20, 21, 22, 23, 24, 25, 26)
#define GSA_WGMMA_I48(text) text(24, 25, 26, 27, 28, 29, 30)
#define GSA_WGMMA_I56(text) text(28, 29, 30, 31, 32, 33, 34)
#define GSA_WGMMA_I64(text) text(32, 33, 34, 35, 36, 37, 38)
#define GSA_WGMMA_I72(text) text(36, 37, 38, 39, 40, 41, 42)
#define GSA_WGMMA_I80(text) text(40, 41, 42, 43, 44, 45, 46)
#define GSA_WGMMA_I88(text) text(44, 45, 46, 47, 48, 49, 50)
#define GSA_WGMMA_I96(text) text(48, 49, 50, 51, 52, 53, 54)
#define GSA_WGMMA_I104(text) text(52, 53, 54, 55, 56, 57, 58)
#define GSA_WGMMA_I112(text) text(56, 57, 58, 59, 60, 61, 62)
#define GSA_WGMMA_I120(text) text(60, 61, 62, 63, 64, 65, 66)
#define GSA_WGMMA_I128(text) text(64, 65, 66, 67, 68, 69, 70)
#define GSA_WGMMA_I136(text) text(68, 69, 70, 71, 72, 73, 74)
#define GSA_WGMMA_I144(text) text(72, 73, 74, 75, 76, 77, 78)
#define GSA_WGMMA_I152(text) text(76, 77, 78, 79, 80, 81, 82)
#define GSA_WGMMA_I160(text) text(80, 81, 82, 83, 84, 85, 86)
#define GSA_WGMMA_I168(text) text(84, 85, 86, 87, 88, 89, 90)
#define GSA_WGMMA_I176(text) text(88, 89, 90, 91, 92, 93, 94)
#define GSA_WGMMA_I184(text) text(92, 93, 94, 95, 96, 97, 98)
#define GSA_WGMMA_I192(text) text(96, 97, 98, 99, 100, 101, 102)
#define GSA_WGMMA_I200(text) text(100, 101, 102, 103, 104, 105, 106)
#define GSA_WGMMA_I208(text) text(104, 105, 106, 107, 108, 109, 110)
#define GSA_WGMMA_I216(text) text(108, 109, 110, 111, 112, 113, 114)
#define GSA_WGMMA_I224(text) text(112, 113, 114, 115, 116, 117, 118)
#define GSA_WGMMA_I232(text) text(116, 117, 118, 119, 120, 121, 122)
#define GSA_WGMMA_I240(text) text(120, 121, 122, 123, 124, 125, 126)
#define GSA_WGMMA_I248(text) text(124, 125, 126, 127, 128, 129, 130)
#define GSA_WGMMA_I256(text) text(128, 129, 130, 131, 132, 133, 134)

#endif  // GSA_DEVICE_PTX_WGMMA_REGISTERS_CUH
