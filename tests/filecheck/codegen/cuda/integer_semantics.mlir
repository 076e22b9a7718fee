// RUN: fuseir-opt %s -p lower-kernels -t cuda | filecheck %s

// Integers are unsigned in C++, where wrapping is defined; what reads them as signed says so. Divisions and shifts are total. Narrow ones are
// cut off after each operation, and 16 bits do not overflow the int that C++ would make of them.
#id = affine_map<(d0) -> (d0)>
func.func @total(%x: tensor<?xi32>, %y: tensor<?xi32>, %h: tensor<?xi16>, %q: tensor<?xi32>, %p: tensor<?xi16>, %b: tensor<?xi1>)
    -> (tensor<?xi32>, tensor<?xi16>, tensor<?xi1>) {
  %0, %1, %2 = linalg.generic {indexing_maps = [#id, #id, #id, #id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y, %h : tensor<?xi32>, tensor<?xi32>, tensor<?xi16>) outs(%q, %p, %b : tensor<?xi32>, tensor<?xi16>, tensor<?xi1>) {
  ^bb0(%a: i32, %c: i32, %n: i16, %u0: i32, %u1: i16, %u2: i1):
    %d = arith.divsi %a, %c : i32
    %s = arith.shli %d, %c : i32
    %m = arith.muli %n, %n : i16
    %k = arith.addi %m, %n : i16
    %l = arith.cmpi slt, %a, %c : i32
    linalg.yield %s, %k, %l : i32, i16, i1
  } -> (tensor<?xi32>, tensor<?xi16>, tensor<?xi1>)
  func.return %0, %1, %2 : tensor<?xi32>, tensor<?xi16>, tensor<?xi1>
}

// CHECK: T divide_signed(T a, T b)
// CHECK-NEXT: {
// CHECK-NEXT: typedef typename signed_of<T>::type S;
// CHECK-NEXT: if (b == 0)
// CHECK-NEXT: return 0;
// CHECK-NEXT: return S(b) == -1 ? T(0 - u64(a)) : T(S(a) / S(b));
// CHECK: T shift_left(T a, T b)
// CHECK-NEXT: {
// CHECK-NEXT: return b < 8 * sizeof(T) ? T(u64(a) << b) : T(0);
// CHECK-LABEL: void fz_map_0(const u32 *__restrict__ a0
// CHECK: const u32 [[D:v[0-9]+]] = divide_signed([[A:x[0-9]+]].at[lane], [[C:x[0-9]+]].at[lane]);
// CHECK-NEXT: shift_left([[D]], [[C]].at[lane]);
// CHECK-NEXT: const u16 [[M:v[0-9]+]] = u16(u32([[N:x[0-9]+]].at[lane]) * [[N]].at[lane]);
// CHECK-NEXT: const u16 {{v[0-9]+}} = u16([[M]] + [[N]].at[lane]);
// CHECK-NEXT: const bool {{v[0-9]+}} = s32([[A]].at[lane]) < s32([[C]].at[lane]);
