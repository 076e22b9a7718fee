/* STREAM's copy and triad, with ordinary stores and with such as go past the caches. */
#include "common.h"
#if defined(__SSE2__)
#include <immintrin.h>
#endif

void stream_copy(int64_t n, const double *restrict a, double *restrict c, int threads) {
#pragma omp parallel num_threads(threads) if (parallel : threads > 1)
#pragma omp for simd schedule(static)
  for (int64_t i = 0; i < n; i++)
    __builtin_memcpy(c + i, a + i, sizeof *c);
}

void stream_triad(int64_t n, const double *restrict a, const double *restrict b, double *restrict c, int threads) {
#pragma omp parallel for simd num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i++)
    c[i] = a[i] + 3.0 * b[i];
}

/* n is a multiple of 8 and the arrays are aligned to 64 bytes. */
void stream_triad_past_caches(int64_t n, const double *restrict a, const double *restrict b, double *restrict c, int threads) {
#pragma omp parallel for num_threads(threads) if (parallel : threads > 1) schedule(static)
  for (int64_t i = 0; i < n; i += 8) {
    lanes v = load(a + i) + all(3.0) * load(b + i);
#if defined(__AVX512F__)
    _mm512_stream_pd(c + i, (__m512d)v);
#elif defined(__SSE2__)
    for (int k = 0; k < 8; k += 2)
      _mm_stream_pd(c + i + k, _mm_set_pd(v[k + 1], v[k]));
#else
    store(c + i, v);
#endif
  }
}
