/* Which columns of an influence may be other than zero in some lane: live[column], or no array
   where an influence does not stay in its place. */

/* Something is added to the element at `place`. */
LANES_INLINE long touch(unsigned char *live, long columns, long place) {
  if (live) live[place % columns] = 1;
  return place;
}

/* Something is added to the element that each lane's symbol picks. */
LANES_INLINE void touched(unsigned char *live, long columns, long place, long stride, Symbol s) {
  if (!live) return;
  if (s.same) {
    if (s.first < INPUTS) live[(place + s.first * stride) % columns] = 1;
    return;
  }
  for (int l = 0; l < LANES; l++)
    if (LANE(s.code, l) < INPUTS) live[(place + LANE(s.code, l) * stride) % columns] = 1;
}
