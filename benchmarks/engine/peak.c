/* Multiply-adds of float32 at full speed: enough independent sums to fill the pipelines.
   The argument is how many rounds; prints GFLOP/s. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef __AVX512F__
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define SUMS 12

typedef float vector __attribute__((vector_size(BYTES)));

int main(int count, char **given) {
    long rounds = count > 1 ? atol(given[1]) : 1000000;
    vector sums[SUMS], factor, summand;
    for (int lane = 0; lane < BYTES / 4; lane++) {
        factor[lane] = 0.999f;
        summand[lane] = (float)rounds * 1e-12f;
        for (int i = 0; i < SUMS; i++) sums[i][lane] = (float)(i + lane);
    }
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long round = 0; round < rounds; round++)
        for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * factor + summand;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    float all = 0;
    for (int i = 0; i < SUMS; i++)
        for (int lane = 0; lane < BYTES / 4; lane++) all += sums[i][lane];
    double seconds = (double)(ended.tv_sec - begun.tv_sec) + 1e-9 * (double)(ended.tv_nsec - begun.tv_nsec);
    printf("%.3f %g\n", 2.0 * SUMS * (BYTES / 4) * (double)rounds / seconds * 1e-9, all);
}
