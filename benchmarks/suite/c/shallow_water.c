/* The NumPy program examples/shallow_water.py: fluxes of a row of edges live in buffers of a row, everything else is read and written once
   in each of the two stages. Branches are choices, as in the program, so that rows are vector loops. */
#include "common.h"

#define G 9.81
#define DRY 1e-4

static inline double larger(double a, double b) {
  return a > b ? a : b;
}

static inline double smaller(double a, double b) {
  return a < b ? a : b;
}

static inline double minmod(double a, double b) {
  double least = fabs(a) < fabs(b) ? a : b;
  return a * b > 0.0 ? least : 0.0;
}

/* The values before and behind an edge, from the four cells across it. */
static inline double before_edge(double a, double b, double c) {
  return b + 0.5 * minmod(b - a, c - b);
}

static inline double behind_edge(double b, double c, double d) {
  return c - 0.5 * minmod(c - b, d - c);
}

/* What a row of edges has, each in a buffer of its own. */
enum { WATER, BEFORE, BEHIND, ALONG, GROUND_L, GROUND_R, H_L, H_R, KINDS };

/* Fluxes through m edges; h … g point to the first of the four cells of the first edge, and surfaces are h + g. */
static void edges(int64_t m, int64_t s, int64_t width, const double *restrict h, const double *restrict un, const double *restrict ut,
                  const double *restrict surface, double *restrict out) {
#pragma omp simd
  for (int64_t j = 0; j < m; j++) {
    int64_t a = j, b = j + s, c = j + 2 * s, d = j + 3 * s;
    double w_l = before_edge(surface[a], surface[b], surface[c]), w_r = behind_edge(surface[b], surface[c], surface[d]);
    double n_l = before_edge(un[a], un[b], un[c]), n_r = behind_edge(un[b], un[c], un[d]);
    double t_l = before_edge(ut[a], ut[b], ut[c]), t_r = behind_edge(ut[b], ut[c], ut[d]);
    double h_l = larger(before_edge(h[a], h[b], h[c]), 0.0), h_r = larger(behind_edge(h[b], h[c], h[d]), 0.0);
    double ground_l = w_l - h_l, ground_r = w_r - h_r, higher = larger(ground_l, ground_r);
    double l = larger(w_l - higher, 0.0), r = larger(w_r - higher, 0.0);

    double c_l = sqrt(G * l), c_r = sqrt(G * r);
    double middle_c = 0.5 * (c_l + c_r) + 0.25 * (n_l - n_r), middle_u = 0.5 * (n_l + n_r) + c_l - c_r;
    double speed_l = l <= DRY ? n_r - 2.0 * c_r : r <= DRY ? n_l - c_l : smaller(n_l - c_l, middle_u - middle_c);
    double speed_r = r <= DRY ? n_l + 2.0 * c_l : l <= DRY ? n_r + c_r : larger(n_r + c_r, middle_u + middle_c);
    double q_l = l * n_l, q_r = r * n_r;
    double momentum_l = q_l * n_l + 0.5 * G * l * l, momentum_r = q_r * n_r + 0.5 * G * r * r;
    double across = speed_r - speed_l;
    across = fabs(across) > 1e-12 ? across : 1.0;
    double water = (speed_r * q_l - speed_l * q_r + speed_l * speed_r * (r - l)) / across;
    double momentum = (speed_r * momentum_l - speed_l * momentum_r + speed_l * speed_r * (q_r - q_l)) / across;
    water = speed_l >= 0.0 ? q_l : speed_r <= 0.0 ? q_r : water;
    momentum = speed_l >= 0.0 ? momentum_l : speed_r <= 0.0 ? momentum_r : momentum;
    double against = r * (n_r - speed_r) - l * (n_l - speed_l);
    double contact = speed_l * r * (n_r - speed_r) - speed_r * l * (n_l - speed_l);
    contact = contact / (fabs(against) > 1e-12 ? against : 1.0);
    double along = water * (contact >= 0.0 ? t_l : t_r);
    int nothing = larger(l, r) <= DRY;
    water = nothing ? 0.0 : water, momentum = nothing ? 0.0 : momentum;

    out[WATER * width + j] = water;
    out[ALONG * width + j] = nothing ? 0.0 : along;
    out[BEFORE * width + j] = momentum + 0.5 * G * (h_l * h_l - l * l);
    out[BEHIND * width + j] = momentum + 0.5 * G * (h_r * h_r - r * r);
    out[GROUND_L * width + j] = ground_l, out[GROUND_R * width + j] = ground_r;
    out[H_L * width + j] = h_l, out[H_R * width + j] = h_r;
  }
}

/* The sides of a row of cells with walls, mirrored. */
static void mirror_row(int64_t n, double *row, double sign) {
  row[0] = sign * row[3], row[1] = sign * row[2];
  row[n + 2] = sign * row[n + 1], row[n + 3] = sign * row[n];
}

static void mirror_rows(int64_t n, double *q, double sign) {
  int64_t w = n + 4;
  for (int64_t j = 0; j < w; j++) {
    q[j] = sign * q[3 * w + j], q[w + j] = sign * q[2 * w + j];
    q[(n + 2) * w + j] = sign * q[(n + 1) * w + j], q[(n + 3) * w + j] = sign * q[n * w + j];
  }
}

/* Depths, velocities and surfaces with walls. */
static void widen(int64_t n, const double *restrict h, const double *restrict hu, const double *restrict hv, const double *restrict ground,
                  double *restrict wide, int threads) {
  int64_t w = n + 4, size = w * w;
  double *hw = wide, *uw = wide + size, *vw = wide + 2 * size, *surface = wide + 3 * size;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    int64_t from = i * n, to = (i + 2) * w + 2;
#pragma omp simd
    for (int64_t j = 0; j < n; j++) {
      int wet = h[from + j] > DRY;
      double depth = wet ? h[from + j] : 1.0;
      hw[to + j] = h[from + j];
      uw[to + j] = wet ? hu[from + j] / depth : 0.0, vw[to + j] = wet ? hv[from + j] / depth : 0.0;
      surface[to + j] = h[from + j] + ground[from + j];
    }
    mirror_row(n, hw + to - 2, 1.0), mirror_row(n, uw + to - 2, -1.0), mirror_row(n, vw + to - 2, 1.0), mirror_row(n, surface + to - 2, 1.0);
  }
  mirror_rows(n, hw, 1.0), mirror_rows(n, uw, 1.0), mirror_rows(n, vw, -1.0), mirror_rows(n, surface, 1.0);
}

/* One stage: from h, hu, hv (whose walls are in wide) to their new values; the second stage takes the mean with the first state, in h0 …. */
static void stage(int64_t n, double dt, const double *h0, const double *hu0, const double *hv0, const double *h1, const double *hu1,
                  const double *hv1, double *h_to, double *hu_to, double *hv_to, const double *wide, double *rows, int second, int threads) {
  int64_t w = n + 4, size = w * w;
  const double *hw = wide, *uw = wide + size, *vw = wide + 2 * size, *surface = wide + 3 * size;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int t = 0; t < threads; t++) {
    int64_t begin = n * t / threads, end = n * (t + 1) / threads, at = begin * w + 2;
    double *restrict x = rows + t * 3 * KINDS * w, *restrict above = x + KINDS * w, *restrict below = above + KINDS * w;
    edges(n, w, w, hw + at, vw + at, uw + at, surface + at, above);
    for (int64_t i = begin; i < end; i++) {
      at = (i + 1) * w + 2;
      edges(n, w, w, hw + at, vw + at, uw + at, surface + at, below);
      at = (i + 2) * w;
      edges(n + 1, 1, w, hw + at, uw + at, vw + at, surface + at, x);
#pragma omp simd
      for (int64_t j = 0; j < n; j++) {
        int64_t k = i * n + j;
        double force_x = 0.5 * G * (x[H_R * w + j] + x[H_L * w + j + 1]) * (x[GROUND_L * w + j + 1] - x[GROUND_R * w + j]);
        double force_y = 0.5 * G * (above[H_R * w + j] + below[H_L * w + j]) * (below[GROUND_L * w + j] - above[GROUND_R * w + j]);
        double h_rate = x[WATER * w + j] - x[WATER * w + j + 1] + above[WATER * w + j] - below[WATER * w + j];
        double hu_rate = x[BEHIND * w + j] - x[BEFORE * w + j + 1] + above[ALONG * w + j] - below[ALONG * w + j] - force_x;
        double hv_rate = x[ALONG * w + j] - x[ALONG * w + j + 1] + above[BEHIND * w + j] - below[BEFORE * w + j] - force_y;
        double h, hu, hv;
        if (second) {
          h = larger(0.5 * (h0[k] + h1[k] + dt * h_rate), 0.0);
          hu = 0.5 * (hu0[k] + hu1[k] + dt * hu_rate), hv = 0.5 * (hv0[k] + hv1[k] + dt * hv_rate);
          hu = h > DRY ? hu : 0.0, hv = h > DRY ? hv : 0.0;
        } else {
          h = larger(h0[k] + dt * h_rate, 0.0);
          hu = hu0[k] + dt * hu_rate, hv = hv0[k] + dt * hv_rate;
        }
        h_to[k] = h, hu_to[k] = hu, hv_to[k] = hv;
      }
      double *spare = above;
      above = below, below = spare;
    }
  }
}

/* state is h, hu, hv one behind another, as is between; wide has room for four grids with walls, rows for 24 rows of them for each thread. */
void shallow_water(int64_t n, int64_t steps, double *state, const double *ground, double *between, double *wide, double *rows, int threads) {
  int64_t size = n * n;
  double *h = state, *hu = state + size, *hv = state + 2 * size;
  double *h1 = between, *hu1 = between + size, *hv1 = between + 2 * size;
  for (int64_t step = 0; step < steps; step++) {
    double fastest = 0.0;
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(max : fastest)
    for (int64_t k = 0; k < size; k++) {
      int wet = h[k] > DRY;
      double depth = wet ? h[k] : 1.0, u = wet ? fabs(hu[k] / depth) : 0.0, v = wet ? fabs(hv[k] / depth) : 0.0;
      double speed = larger(u, v) + sqrt(G * h[k]);
      fastest = larger(fastest, speed);
    }
    double dt = 0.4 / fastest;
    widen(n, h, hu, hv, ground, wide, threads);
    stage(n, dt, h, hu, hv, h, hu, hv, h1, hu1, hv1, wide, rows, 0, threads);
    widen(n, h1, hu1, hv1, ground, wide, threads);
    stage(n, dt, h, hu, hv, h1, hu1, hv1, h, hu, hv, wide, rows, 1, threads);
  }
}
