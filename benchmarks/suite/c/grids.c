/* The NumPy programs on grids (examples/): Krylov methods with slices for a matrix, Gray–Scott, flow in a cavity, multigrid.
   What is computed is what the programs compute, in the same order; loops go as far as sums and neighbours allow. */
#include "common.h"

#define ROWS(threads) _Pragma("omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)")
#define SUMMED(threads, ...) \
  PRAGMA(omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : __VA_ARGS__))
#define PRAGMA(text) _Pragma(#text)

static void laplacian_row(int64_t n, const double *restrict p, double *restrict q) {
#pragma omp simd
  for (int64_t j = 1; j < n - 1; j++)
    q[j] = 4.0 * p[j] - p[j - n] - p[j + n] - p[j - 1] - p[j + 1];
}

/* q is work; its border is zero. The sum r·r comes and goes in rr. */
void grid_cg(int64_t n, int64_t steps, double *restrict x, double *restrict r, double *restrict p, double *restrict q, double *restrict rr,
             int threads) {
  for (int64_t step = 0; step < steps; step++) {
    double pq = 0.0, after = 0.0;
    SUMMED(threads, pq)
    for (int64_t i = 1; i < n - 1; i++) {
      laplacian_row(n, p + i * n, q + i * n);
      pq += dot(p + i * n, q + i * n, n);
    }
    double alpha = *rr / pq;
    SUMMED(threads, after)
    for (int64_t i = 0; i < n; i++) {
      double sum = 0.0, *restrict xi = x + i * n, *restrict ri = r + i * n, *restrict pi = p + i * n, *restrict qi = q + i * n;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < n; j++) {
        xi[j] += alpha * pi[j];
        ri[j] -= alpha * qi[j];
        sum += ri[j] * ri[j];
      }
      after += sum;
    }
    double beta = after / *rr;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t k = 0; k < n * n; k++)
      p[k] = p[k] * beta + r[k];
    *rr = after;
  }
}

static void transport_row(int64_t n, double wind, const double *restrict u, double *restrict out) {
#pragma omp simd
  for (int64_t j = 1; j < n - 1; j++)
    out[j] = (4.0 * u[j] - u[j - n] - u[j + n] - u[j - 1] - u[j + 1]) + wind * (u[j + 1] - u[j - 1]);
}

/* s and t are work; their borders are zero. The product of shadow and r is made where r is. */
void grid_bicgstab(int64_t n, int64_t steps, const double *restrict shadow, double *restrict x, double *restrict r, double *restrict p,
                   double *restrict v, double *restrict s, double *restrict t, double *restrict rho_at, double *restrict alpha_at,
                   double *restrict omega_at, int threads) {
  const double wind = 0.4;
  double rho = 0.0, alpha = *alpha_at, omega = *omega_at, before = *rho_at;
  SUMMED(threads, rho)
  for (int64_t i = 0; i < n; i++)
    rho += dot(shadow + i * n, r + i * n, n);
  for (int64_t step = 0; step < steps; step++) {
    double beta = (rho / before) * (alpha / omega), sv = 0.0, ts = 0.0, tt = 0.0, next = 0.0;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t k = 0; k < n * n; k++)
      p[k] = r[k] + beta * (p[k] - omega * v[k]);
    SUMMED(threads, sv)
    for (int64_t i = 1; i < n - 1; i++) {
      transport_row(n, wind, p + i * n, v + i * n);
      sv += dot(shadow + i * n, v + i * n, n);
    }
    alpha = rho / sv;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
    for (int64_t k = 0; k < n * n; k++)
      s[k] = r[k] - alpha * v[k];
    SUMMED(threads, ts, tt)
    for (int64_t i = 1; i < n - 1; i++) {
      transport_row(n, wind, s + i * n, t + i * n);
      ts += dot(t + i * n, s + i * n, n);
      tt += dot(t + i * n, t + i * n, n);
    }
    omega = ts / tt;
    SUMMED(threads, next)
    for (int64_t i = 0; i < n; i++) {
      double sum = 0.0, *restrict xi = x + i * n, *restrict ri = r + i * n;
      const double *restrict pi = p + i * n, *restrict si = s + i * n, *restrict ti = t + i * n, *restrict wi = shadow + i * n;
#pragma omp simd reduction(+ : sum)
      for (int64_t j = 0; j < n; j++) {
        xi[j] += alpha * pi[j] + omega * si[j];
        ri[j] = si[j] - omega * ti[j];
        sum += wi[j] * ri[j];
      }
      next += sum;
    }
    before = rho, rho = next;
  }
  *rho_at = before, *alpha_at = alpha, *omega_at = omega;
}

/* Gray–Scott: from one pair of grids into the other and back; the result is in the first if steps is even. */
static inline void gray_scott_point(double u, double v, double lap_u, double lap_v, double *u_out, double *v_out) {
  double reaction = u * v * v;
  *u_out = u + (0.16 * (lap_u - 4.0 * u) - reaction + 0.035 * (1.0 - u));
  *v_out = v + (0.08 * (lap_v - 4.0 * v) + reaction - (0.035 + 0.065) * v);
}

void gray_scott(int64_t n, int64_t steps, double *u0, double *v0, double *u1, double *v1, int threads) {
  for (int64_t step = 0; step < steps; step++) {
    const double *restrict u = step % 2 ? u1 : u0, *restrict v = step % 2 ? v1 : v0;
    double *restrict u_to = step % 2 ? u0 : u1, *restrict v_to = step % 2 ? v0 : v1;
    ROWS(threads)
    for (int64_t i = 0; i < n; i++) {
      int64_t up = (i ? i - 1 : n - 1) * n, down = (i + 1 < n ? i + 1 : 0) * n, at = i * n;
#pragma omp simd
      for (int64_t j = 1; j < n - 1; j++)
        gray_scott_point(u[at + j], v[at + j], u[up + j] + u[down + j] + u[at + j - 1] + u[at + j + 1],
                         v[up + j] + v[down + j] + v[at + j - 1] + v[at + j + 1], u_to + at + j, v_to + at + j);
      for (int64_t j = 0; j < n; j += n - 1) {
        int64_t west = at + (j ? j - 1 : n - 1), east = at + (j ? 0 : 1);
        gray_scott_point(u[at + j], v[at + j], u[up + j] + u[down + j] + u[west] + u[east], v[up + j] + v[down + j] + v[west] + v[east],
                         u_to + at + j, v_to + at + j);
      }
    }
  }
}

static void cavity_source(int64_t n, double h, double dt, const double *restrict u, const double *restrict v, double *restrict out) {
#pragma omp simd
  for (int64_t j = 1; j < n - 1; j++) {
    double du_dx = (u[j + 1] - u[j - 1]) / (2.0 * h), dv_dy = (v[j + n] - v[j - n]) / (2.0 * h);
    double du_dy = (u[j + n] - u[j - n]) / (2.0 * h), dv_dx = (v[j + 1] - v[j - 1]) / (2.0 * h);
    out[j] = h * h * ((du_dx + dv_dy) / dt - du_dx * du_dx - 2.0 * du_dy * dv_dx - dv_dy * dv_dy);
  }
}

static void cavity_move(int64_t n, double h, double dt, const double *restrict u, const double *restrict v, const double *restrict p,
                        double *restrict u_to, double *restrict v_to) {
  double push = dt / (2.0 * h), a = dt / h, b = 0.1 * dt / (h * h);
#pragma omp simd
  for (int64_t j = 1; j < n - 1; j++) {
    double cu = u[j] * (u[j] - u[j - 1]) + v[j] * (u[j] - u[j - n]), cv = u[j] * (v[j] - v[j - 1]) + v[j] * (v[j] - v[j - n]);
    double du = u[j + 1] + u[j + n] + u[j - 1] + u[j - n] - 4.0 * u[j], dv = v[j + 1] + v[j + n] + v[j - 1] + v[j - n] - 4.0 * v[j];
    u_to[j] = u[j] - a * cu + b * du - push * (p[j + 1] - p[j - 1]);
    v_to[j] = v[j] - a * cv + b * dv - push * (p[j + n] - p[j - n]);
  }
  u_to[0] = u_to[n - 1] = v_to[0] = v_to[n - 1] = 0.0;
}

/* steps and sweeps are even, so that results are in the first grids. The borders of the velocities' second grids are those of the first. */
void cavity_flow(int64_t n, int64_t steps, int64_t sweeps, double *u0, double *v0, double *p0, double *u1, double *v1, double *p1,
                 double *restrict source, int threads) {
  double h = 2.0 / (double)(n - 1), dt = 0.2 * (h * h / 0.1 < h ? h * h / 0.1 : h);
  for (int64_t step = 0; step < steps; step++) {
    double *u = step % 2 ? u1 : u0, *v = step % 2 ? v1 : v0, *u_to = step % 2 ? u0 : u1, *v_to = step % 2 ? v0 : v1;
    ROWS(threads)
    for (int64_t i = 1; i < n - 1; i++)
      cavity_source(n, h, dt, u + i * n, v + i * n, source + i * n);
    for (int64_t sweep = 0; sweep < sweeps; sweep++) {
      const double *restrict p = sweep % 2 ? p1 : p0;
      double *restrict to = sweep % 2 ? p0 : p1;
      ROWS(threads)
      for (int64_t i = 1; i < n - 1; i++) {
        const double *restrict from = p + i * n, *restrict s = source + i * n;
        double *restrict out = to + i * n;
#pragma omp simd
        for (int64_t j = 1; j < n - 1; j++)
          out[j] = 0.25 * (from[j + 1] + from[j - 1] + from[j + n] + from[j - n] - s[j]);
        out[0] = out[1], out[n - 1] = out[n - 2];
      }
      memcpy(to, to + n, n * sizeof(double));
      memset(to + (n - 1) * n, 0, n * sizeof(double));
    }
    ROWS(threads)
    for (int64_t i = 1; i < n - 1; i++)
      cavity_move(n, h, dt, u + i * n, v + i * n, p0 + i * n, u_to + i * n, v_to + i * n);
  }
}

/* Multigrid. Each level has its grid, a second one, and from the second level on its right side, one behind another in work. */
static void smooth(int64_t n, double *u, double *w, const double *restrict right, int threads) {
  double scale = 1.0 / (double)((n - 1) * (n - 1));
  for (int k = 0; k < 2; k++) {
    const double *restrict from = k ? w : u;
    double *restrict to = k ? u : w;
    ROWS(threads)
    for (int64_t i = 1; i < n - 1; i++) {
      const double *restrict a = from + i * n, *restrict f = right + i * n;
      double *restrict out = to + i * n;
#pragma omp simd
      for (int64_t j = 1; j < n - 1; j++)
        out[j] = a[j] + 0.8 * (0.25 * (a[j - n] + a[j + n] + a[j - 1] + a[j + 1] + scale * f[j]) - a[j]);
    }
  }
}

static void residual_row(int64_t n, double scale, const double *restrict u, const double *restrict right, double *restrict out) {
#pragma omp simd
  for (int64_t j = 1; j < n - 1; j++)
    out[j] = right[j] - scale * (4.0 * u[j] - (u[j - n] + u[j + n] + u[j - 1] + u[j + 1]));
  out[0] = out[n - 1] = 0.0;
}

/* Residuals live in three rows of each thread. */
static void restrict_residual(int64_t n, const double *u, const double *right, double *coarse, double *rows, int threads) {
  int64_t m = n / 2 + 1;
  double scale = (double)((n - 1) * (n - 1));
  ROWS(threads)
  for (int t = 0; t < threads; t++) {
    int64_t begin = 1 + (m - 2) * t / threads, end = 1 + (m - 2) * (t + 1) / threads;
    double *above = rows + t * 3 * n, *middle = above + n, *below = middle + n;
    if (begin < end)
      residual_row(n, scale, u + (2 * begin - 1) * n, right + (2 * begin - 1) * n, above);
    for (int64_t i = begin; i < end; i++) {
      residual_row(n, scale, u + 2 * i * n, right + 2 * i * n, middle);
      residual_row(n, scale, u + (2 * i + 1) * n, right + (2 * i + 1) * n, below);
      for (int64_t j = 1; j < m - 1; j++) {
        double beside = above[2 * j] + below[2 * j] + middle[2 * j - 1] + middle[2 * j + 1];
        double corners = above[2 * j - 1] + above[2 * j + 1] + below[2 * j - 1] + below[2 * j + 1];
        coarse[i * m + j] = 0.25 * middle[2 * j] + 0.125 * beside + 0.0625 * corners;
      }
      double *spare = above;
      above = below, below = spare;
    }
  }
}

static void correct(int64_t n, double *restrict u, const double *restrict coarse, int threads) {
  int64_t m = n / 2 + 1;
  ROWS(threads)
  for (int64_t i = 0; i < n; i++) {
    const double *restrict c = coarse + i / 2 * m, *restrict d = i % 2 ? c + m : c;
    double *restrict row = u + i * n;
    if (i % 2) {
      for (int64_t j = 0; j < m - 1; j++) {
        row[2 * j] += 0.5 * (c[j] + d[j]);
        row[2 * j + 1] += 0.25 * (c[j] + d[j] + c[j + 1] + d[j + 1]);
      }
      row[n - 1] += 0.5 * (c[m - 1] + d[m - 1]);
    } else {
      for (int64_t j = 0; j < m - 1; j++) {
        row[2 * j] += c[j];
        row[2 * j + 1] += 0.5 * (c[j] + c[j + 1]);
      }
      row[n - 1] += c[m - 1];
    }
  }
}

static void cycle(int64_t n, double *u, double *w, const double *right, double *work, double *rows, int threads) {
  smooth(n, u, w, right, threads);
  if (n > 3) {
    int64_t m = n / 2 + 1;
    double *error = work, *second = error + m * m, *coarse = second + m * m;
    memset(error, 0, 3 * m * m * sizeof(double));
    restrict_residual(n, u, right, coarse, rows, threads);
    cycle(m, error, second, coarse, coarse + m * m, rows, threads);
    correct(n, u, error, threads);
  }
  smooth(n, u, w, right, threads);
}

/* w is a second grid with the first one's border; rows are three for each thread. */
void multigrid(int64_t n, int64_t steps, double *u, double *w, const double *right, double *work, double *rows, int threads) {
  for (int64_t step = 0; step < steps; step++)
    cycle(n, u, w, right, work, rows, threads);
}
