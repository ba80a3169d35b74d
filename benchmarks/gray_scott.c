/* Gray-Scott, explicit Euler, periodic, 5 or 7 points: what one writes by hand for a multicore CPU.
 *
 * Two buffers for each species, whole rows as inner loops, both ends of a row apart, rows shared out statically among
 * threads that live as long as the run. REAL is float or double. For two dimensions nz = 1.
 */
#include <stdlib.h>
#include <string.h>

typedef REAL real;

static inline real lap(const real *restrict c, const real *restrict s, const real *restrict n, const real *restrict b,
                       const real *restrict f, long l, long i, long r, int deep)
{
    real sum = c[l] + c[r] + s[i] + n[i];
    return deep ? sum + b[i] + f[i] - 6 * c[i] : sum - 4 * c[i];
}

static inline __attribute__((always_inline)) void sweep(const real *restrict u, const real *restrict v,
    real *restrict p, real *restrict q, long nz, long ny, long nx, real ru, real rv, real F, real k, real dt, int deep)
{
#pragma omp for schedule(static)
    for (long row = 0; row < nz * ny; row++) {
        long z = row / ny, y = row % ny;
        long S = (z * ny + (y + ny - 1) % ny) * nx, N = (z * ny + (y + 1) % ny) * nx, C = row * nx;
        long B = (((z + nz - 1) % nz) * ny + y) * nx, T = (((z + 1) % nz) * ny + y) * nx;
#define CELL(l, i, r)                                                                             \
    {                                                                                             \
        real a = u[C + i], w = v[C + i], made = a * w * w;                                        \
        real lu = lap(u + C, u + S, u + N, u + B, u + T, l, i, r, deep);                          \
        real lv = lap(v + C, v + S, v + N, v + B, v + T, l, i, r, deep);                          \
        p[C + i] = a + ru * lu + dt * (F * (1 - a) - made);                                       \
        q[C + i] = w + rv * lv + dt * (made - (F + k) * w);                                       \
    }
        CELL(nx - 1, 0, 1)
#pragma omp simd
        for (long i = 1; i < nx - 1; i++) CELL(i - 1, i, i + 1)
        CELL(nx - 2, nx - 1, 0)
    }
}

/* `steps` steps of (u, v) in place; ru = Du dt/dx^2, rv = Dv dt/dx^2. */
void gray_scott(real *u, real *v, long nz, long ny, long nx, real ru, real rv, real F, real k, real dt, long steps)
{
    size_t bytes = sizeof(real) * nz * ny * nx;
    real *p = aligned_alloc(64, (bytes + 63) / 64 * 64), *q = aligned_alloc(64, (bytes + 63) / 64 * 64);
#pragma omp parallel
    {
        real *a = u, *b = v, *c = p, *d = q, *swap;
        for (long n = 0; n < steps; n++) {
            if (nz > 1) sweep(a, b, c, d, nz, ny, nx, ru, rv, F, k, dt, 1);
            else sweep(a, b, c, d, nz, ny, nx, ru, rv, F, k, dt, 0);
            swap = a, a = c, c = swap;
            swap = b, b = d, d = swap;
        }
    }
    if (steps % 2) memcpy(u, p, bytes), memcpy(v, q, bytes);
    free(p), free(q);
}
