/* NumPy programs (examples/) that are products: Jacobi's method, CG with a full matrix, n bodies, logistic regression. */
#include "common.h"

/* From x into y and back: the result is in x if steps is even. */
void jacobi(int64_t n, int64_t steps, const double *restrict rest, const double *restrict diagonal, const double *restrict b, double *x,
            double *y, int threads) {
  for (int64_t step = 0; step < steps; step++) {
    const double *restrict from = step % 2 ? y : x;
    double *restrict to = step % 2 ? x : y;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t i = 0; i < n; i++)
      to[i] = (b[i] - dot(rest + i * n, from, n)) / diagonal[i];
  }
}

void dense_cg(int64_t n, int64_t steps, const double *restrict matrix, double *restrict x, double *restrict r, double *restrict p,
              double *restrict q, double *restrict rr, int threads) {
  for (int64_t step = 0; step < steps; step++) {
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t i = 0; i < n; i++)
      q[i] = dot(matrix + i * n, p, n);
    double alpha = *rr / dot(p, q, n);
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
      x[i] += alpha * p[i], r[i] -= alpha * q[i];
    double after = dot(r, r, n), beta = after / *rr;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
      p[i] = p[i] * beta + r[i];
    *rr = after;
  }
}

/* velocity and position are three rows of n. */
void nbody(int64_t n, int64_t steps, const double *restrict mass, double *restrict position, double *restrict velocity, int threads) {
  const double *restrict x = position, *restrict y = position + n, *restrict z = position + 2 * n;
  for (int64_t step = 0; step < steps; step++) {
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t i = 0; i < n; i++) {
      double ax = 0.0, ay = 0.0, az = 0.0;
#pragma omp simd reduction(+ : ax, ay, az)
      for (int64_t j = 0; j < n; j++) {
        double dx = x[j] - x[i], dy = y[j] - y[i], dz = z[j] - z[i];
        double squared = dx * dx + dy * dy + dz * dz + 1e-4;
        double pull = mass[j] / (squared * sqrt(squared));
        ax += pull * dx, ay += pull * dy, az += pull * dz;
      }
      velocity[i] += 1e-3 * ax, velocity[n + i] += 1e-3 * ay, velocity[2 * n + i] += 1e-3 * az;
    }
#pragma omp simd
    for (int64_t k = 0; k < 3 * n; k++)
      position[k] += 1e-3 * velocity[k];
  }
}
