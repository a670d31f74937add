/* g_ij += sum_t a_i(t) b_j(t), some rows and columns at a time in registers. */

enum { TILE = 4, TOGETHER = 16 };

LANES_INLINE void tile(V *restrict g, long row, long column, int rows, int columns, const V *a,
                       const V *b, long step, long count) {
  V sums[TILE][TILE];
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) sums[i][j] = g[i * row + j * column];
  for (long t = 0; t < count; t++, a += step, b += step)
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) sums[i][j] = FMA(a[i], b[j], sums[i][j]);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) g[i * row + j * column] = sums[i][j];
}

/* A row of tiles; `rows` is known where this is inlined, and so is the last tile's width. */
LANES_INLINE void tiles(V *restrict g, long row, long column, int rows, int m, const V *a,
                        const V *b, long step, long count) {
  int j = 0;
  for (; j + TILE <= m; j += TILE)
    tile(g + j * column, row, column, rows, TILE, a, b + j, step, count);
  if (m % TILE == 1) tile(g + j * column, row, column, rows, 1, a, b + j, step, count);
  if (m % TILE == 2) tile(g + j * column, row, column, rows, 2, a, b + j, step, count);
  if (m % TILE == 3) tile(g + j * column, row, column, rows, 3, a, b + j, step, count);
}

LANES_INLINE void outer(V *restrict g, long row, long column, int n, int m, const V *a,
                        const V *b, long step, long count) {
  int i = 0;
  for (; i + TILE <= n; i += TILE)
    tiles(g + i * row, row, column, TILE, m, a + i, b, step, count);
  if (n % TILE == 1) tiles(g + i * row, row, column, 1, m, a + i, b, step, count);
  if (n % TILE == 2) tiles(g + i * row, row, column, 2, m, a + i, b, step, count);
  if (n % TILE == 3) tiles(g + i * row, row, column, 3, m, a + i, b, step, count);
}
