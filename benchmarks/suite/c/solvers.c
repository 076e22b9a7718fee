/* The vector parts of Krylov solvers, with as few passes as the sums allow. */
#include "common.h"

static double cg_update(int64_t n, double alpha, double *restrict x, double *restrict r, const double *restrict p,
                        const double *restrict q) {
  lanes sums[4] = {{0}}, step = all(alpha);
  int64_t i = 0;
  for (; i + STRIDE <= n; i += STRIDE) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
      int64_t j = i + k * LANES;
      store(x + j, load(x + j) + load(p + j) * step);
      lanes next = load(r + j) - load(q + j) * step;
      store(r + j, next);
      sums[k] += next * next;
    }
  }
  double sum = total(sums[0], sums[1], sums[2], sums[3]);
  for (; i < n; i++) {
    x[i] += p[i] * alpha;
    r[i] -= q[i] * alpha;
    sum += r[i] * r[i];
  }
  return sum;
}

void cg(int64_t n, double *restrict x, double *restrict r, double *restrict p, const double *restrict q, double *restrict rr, int threads) {
  double pq = 0.0, after = 0.0;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : pq)
  for (int k = 0; k < threads; k++)
    pq += dot(p + cut(n, k, threads), q + cut(n, k, threads), cut_end(n, k, threads) - cut(n, k, threads));
  double alpha = *rr / pq;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : after)
  for (int k = 0; k < threads; k++) {
    int64_t at = cut(n, k, threads);
    after += cg_update(cut_end(n, k, threads) - at, alpha, x + at, r + at, p + at, q + at);
  }
  double beta = after / *rr;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++)
    p[i] = p[i] * beta + r[i];
  *rr = after;
}

/* shadow·r, shadow·v and t·t in one pass. */
static void bicgstab_sums(int64_t n, const double *restrict shadow, const double *restrict r, const double *restrict v,
                          const double *restrict t, double *restrict sums) {
  lanes a[2] = {{0}}, b[2] = {{0}}, c[2] = {{0}}, zero = {0};
  int64_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
#pragma GCC unroll 2
    for (int k = 0; k < 2; k++) {
      int64_t j = i + k * LANES;
      lanes s = load(shadow + j), u = load(t + j);
      a[k] += s * load(r + j), b[k] += s * load(v + j), c[k] += u * u;
    }
  }
  sums[0] = total(a[0], a[1], zero, zero), sums[1] = total(b[0], b[1], zero, zero), sums[2] = total(c[0], c[1], zero, zero);
  for (; i < n; i++)
    sums[0] += shadow[i] * r[i], sums[1] += shadow[i] * v[i], sums[2] += t[i] * t[i];
}

/* p and s, and t·s. */
static double bicgstab_directions(int64_t n, double omega, double beta, double alpha, const double *restrict r, const double *restrict v,
                                  const double *restrict t, double *restrict p, double *restrict s) {
  lanes sums[4] = {{0}}, o = all(omega), b = all(beta), a = all(alpha);
  int64_t i = 0;
  for (; i + STRIDE <= n; i += STRIDE) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
      int64_t j = i + k * LANES;
      lanes vj = load(v + j), rj = load(r + j), sj = rj - vj * a;
      store(p + j, (load(p + j) - vj * o) * b + rj);
      store(s + j, sj);
      sums[k] += load(t + j) * sj;
    }
  }
  double sum = total(sums[0], sums[1], sums[2], sums[3]);
  for (; i < n; i++) {
    p[i] = (p[i] - v[i] * omega) * beta + r[i];
    s[i] = r[i] - v[i] * alpha;
    sum += t[i] * s[i];
  }
  return sum;
}

/* scalars: rho, alpha, omega. */
void bicgstab(int64_t n, double *restrict x, double *restrict r, double *restrict p, const double *restrict v, const double *restrict t,
              const double *restrict shadow, double *restrict s, double *restrict scalars, int threads) {
  double rho = 0.0, sv = 0.0, tt = 0.0, ts = 0.0;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : rho, sv, tt)
  for (int k = 0; k < threads; k++) {
    int64_t at = cut(n, k, threads);
    double sums[3];
    bicgstab_sums(cut_end(n, k, threads) - at, shadow + at, r + at, v + at, t + at, sums);
    rho += sums[0], sv += sums[1], tt += sums[2];
  }
  double beta = (rho / scalars[0]) * (scalars[1] / scalars[2]), alpha = rho / sv;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : ts)
  for (int k = 0; k < threads; k++) {
    int64_t at = cut(n, k, threads), size = cut_end(n, k, threads) - at;
    ts += bicgstab_directions(size, scalars[2], beta, alpha, r + at, v + at, t + at, p + at, s + at);
  }
  double omega = ts / tt;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    x[i] = x[i] + p[i] * alpha + s[i] * omega;
    r[i] = s[i] - t[i] * omega;
  }
  scalars[0] = rho, scalars[1] = alpha, scalars[2] = omega;
}
