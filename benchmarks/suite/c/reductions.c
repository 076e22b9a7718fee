/* Reductions over all elements, rows and columns. */
#include "common.h"

static double sum_of_squares(const double *restrict x, int64_t n) {
  lanes a = {0}, b = {0}, c = {0}, d = {0};
  int64_t i = 0;
  for (; i + STRIDE <= n; i += STRIDE) {
    lanes p = load(x + i), q = load(x + i + 8), r = load(x + i + 16), s = load(x + i + 24);
    a += p * p, b += q * q, c += r * r, d += s * s;
  }
  double sum = total(a, b, c, d);
  for (; i < n; i++)
    sum += x[i] * x[i];
  return sum;
}

double l2_norm(int64_t n, const double *restrict x, int threads) {
  double sum = 0.0;
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static) reduction(+ : sum)
  for (int k = 0; k < threads; k++)
    sum += sum_of_squares(x + cut(n, k, threads), cut_end(n, k, threads) - cut(n, k, threads));
  return sqrt(sum);
}

/* One pass: two rows at a time go into the column sums, which stay in a cache. */
static void add_rows(int64_t begin, int64_t end, int64_t m, const double *restrict x, double *restrict columns, double *restrict rows) {
  memset(columns, 0, m * sizeof *columns);
  for (int64_t i = begin; i < end; i++) {
    const double *restrict row = x + i * m;
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    int64_t j = 0;
    for (; j + STRIDE <= m; j += STRIDE) {
      lanes p = load(row + j), q = load(row + j + 8), r = load(row + j + 16), s = load(row + j + 24);
      a += p, b += q, c += r, d += s;
      store(columns + j, load(columns + j) + p);
      store(columns + j + 8, load(columns + j + 8) + q);
      store(columns + j + 16, load(columns + j + 16) + r);
      store(columns + j + 24, load(columns + j + 24) + s);
    }
    double sum = total(a, b, c, d);
    for (; j < m; j++)
      sum += row[j], columns[j] += row[j];
    rows[i] = sum * (1.0 / m);
  }
}

void means(int64_t n, int64_t m, const double *restrict x, double *restrict columns, double *restrict rows, double *restrict work,
           int threads) {
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int k = 0; k < threads; k++)
    add_rows(n * k / threads, n * (k + 1) / threads, m, x, work + k * m, rows);
  for (int64_t j = 0; j < m; j++) {
    double sum = work[j];
    for (int k = 1; k < threads; k++)
      sum += work[k * m + j];
    columns[j] = sum * (1.0 / n);
  }
}

/* Row by row, three loops over a row that stays in a cache. */
void softmax(int64_t n, int64_t m, const double *restrict x, double *restrict y, int threads) {
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++) {
    const double *restrict in = x + i * m;
    double *restrict out = y + i * m;
    lanes a = {0}, b = {0}, c = {0}, d = {0};
    double largest = -INFINITY;
    int64_t j;
#pragma omp simd reduction(max : largest)
    for (j = 0; j < m; j++)
      largest = in[j] > largest ? in[j] : largest;
#pragma omp simd
    for (j = 0; j < m; j++)
      out[j] = exp(in[j] - largest);
    for (j = 0; j + STRIDE <= m; j += STRIDE)
      a += load(out + j), b += load(out + j + 8), c += load(out + j + 16), d += load(out + j + 24);
    double sum = total(a, b, c, d);
    for (; j < m; j++)
      sum += out[j];
    for (j = 0; j < m; j++)
      out[j] = out[j] / sum;
  }
}
