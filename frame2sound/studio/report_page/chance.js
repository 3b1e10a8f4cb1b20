// Random numbers that nobody can foresee; shared with the studio.

export function randomNumber() {
  return crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}

export function shuffle(list) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(randomNumber() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}
