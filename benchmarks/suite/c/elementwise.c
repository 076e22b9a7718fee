/* Element-wise programs: one loop each. */
#include "common.h"

static inline double normal_cdf(double d) {
  double k = 1.0 / (fabs(d) * 0.2316419 + 1.0);
  double p = k * 1.330274429;
  p = (p + -1.821255978) * k;
  p = (p + 1.781477937) * k;
  p = (p + -0.356563782) * k;
  p = (p + 0.319381530) * k;
  double tail = exp(d * d * -0.5) * 0.3989422804014327 * p;
  return d > 0.0 ? 1.0 - tail : tail;
}

void black_scholes(int64_t n, const double *restrict price, const double *restrict strike, const double *restrict years,
                   double *restrict call, double *restrict put, int threads) {
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    double deviation = sqrt(years[i]) * 0.30;
    double d1 = (log(price[i] / strike[i]) + years[i] * (0.02 + 0.5 * 0.30 * 0.30)) / deviation;
    double d2 = d1 - deviation;
    double cdf1 = normal_cdf(d1), cdf2 = normal_cdf(d2);
    double discounted = strike[i] * exp(years[i] * -0.02);
    call[i] = price[i] * cdf1 - discounted * cdf2;
    put[i] = discounted * (1.0 - cdf2) - price[i] * (1.0 - cdf1);
  }
}

void polynomial(int64_t n, const double *restrict x, const double *restrict coefficients, double *restrict y, int threads) {
  double c[20];
  memcpy(c, coefficients, sizeof c);
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    double v = x[i], r = v * c[19];
#pragma GCC unroll 20
    for (int k = 18; k > 0; k--)
      r = (r + c[k]) * v;
    y[i] = r + c[0];
  }
}

void mandelbrot(int64_t n, const double *restrict cr, const double *restrict ci, double *restrict count, int threads) {
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    double r = cr[i], m = ci[i], zr = r, zi = m, times = 0.0;
#pragma GCC unroll 16
    for (int k = 0; k < 16; k++) {
      double rr = zr * zr, ii = zi * zi, next_r = rr - ii + r, next_i = zr * zi * 2.0 + m;
      int inside = rr + ii < 4.0;
      times = inside ? times + 1.0 : times;
      zi = inside ? next_i : zi;
      zr = inside ? next_r : zr;
    }
    count[i] = times;
  }
}

void hash(int64_t n, const int64_t *restrict x, int64_t *restrict y, int threads) {
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    int64_t v = x[i];
    v = (((v >> 16) ^ v) * 0x45d9f3b) & 0xffffffff;
    v = (((v >> 16) ^ v) * 0x45d9f3b) & 0xffffffff;
    y[i] = (v >> 16) ^ v;
  }
}
