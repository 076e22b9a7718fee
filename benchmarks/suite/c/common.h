/* What the hand-fused programs share. The rules are FuseIR's own: no contraction, no reassociation but in lanes that are written out. */
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
/* glibc's libmvec, which its own headers offer under -ffast-math only. */
__attribute__((simd("notinbranch"))) extern double exp(double);
__attribute__((simd("notinbranch"))) extern double log(double);
#endif

/* Eight lanes; sums keep four of them going, as additions take four cycles. */
typedef double lanes __attribute__((vector_size(64), aligned(8)));
enum { LANES = 8, STRIDE = 4 * LANES };

static inline double total(lanes a, lanes b, lanes c, lanes d) {
  lanes s = (a + b) + (c + d);
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static inline lanes load(const double *p) {
  return *(const lanes *)p;
}

static inline void store(double *p, lanes v) {
  *(lanes *)p = v;
}

static inline lanes all(double x) {
  return (lanes){x, x, x, x, x, x, x, x};
}

/* The part of n things that thread k of t has. */
static inline int64_t cut(int64_t n, int k, int t) {
  return n * k / t / STRIDE * STRIDE;
}

static inline int64_t cut_end(int64_t n, int k, int t) {
  return k + 1 == t ? n : cut(n, k + 1, t);
}

static inline double dot(const double *restrict x, const double *restrict y, int64_t n) {
  lanes a = {0}, b = {0}, c = {0}, d = {0};
  int64_t i = 0;
  for (; i + STRIDE <= n; i += STRIDE) {
    a += load(x + i) * load(y + i), b += load(x + i + 8) * load(y + i + 8);
    c += load(x + i + 16) * load(y + i + 16), d += load(x + i + 24) * load(y + i + 24);
  }
  double sum = total(a, b, c, d);
  for (; i < n; i++)
    sum += x[i] * y[i];
  return sum;
}
