// What votes tell of listeners and films: both are units, and crossed, since each listener hears each film.
// Owen, "The pigeonhole bootstrap", 2007; quantiles averaged by variance: Cochran and Cox 1950.

// Quantiles of t at 0.975, for 1 to 30 degrees of freedom.
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16,
  2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042];

// Five equal votes out of five happen by chance in one of sixteen cases, six in one of 32.
const MIN_UNITS = 6;

function averageOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// The mean of a table of votes (rows of equal length) and its 95 % interval; a kind of one unit is fixed.
function meanInterval(rows) {
  const columns = rows[0].map((_, at) => rows.map((row) => row[at]));
  const byRow = rows.map(averageOf), byColumn = columns.map(averageOf), mean = averageOf(byRow);
  const kinds = [byRow, byColumn].filter((means) => means.length > 1).map((means) => {
    const freedom = means.length - 1;
    const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom / means.length;
    return { variance, quantile: T_QUANTILES[freedom - 1] ?? 1.96 + 2.4 / freedom };
  });
  const sum = kinds.reduce((total, kind) => total + kind.variance, 0);
  if (!sum) return { mean, low: mean, high: mean };
  let shared = 0;
  if (kinds.length > 1) {
    rows.forEach((row, r) => row.forEach((value, c) => { shared += (value - byRow[r] - byColumn[c] + mean) ** 2; }));
    shared /= (rows.length - 1) * (columns.length - 1) * rows.length * columns.length;
  }
  const variance = Math.max(sum - shared, ...kinds.map((kind) => kind.variance));
  const quantile = kinds.reduce((total, kind) => total + kind.variance * kind.quantile, 0) / sum;
  const half = quantile * Math.sqrt(variance);
  return { mean, low: mean - half, high: mean + half };
}

// The mean vote of each listener on each film that all have voted on: 1 for `one`, -1 for the other.
function voteTable(ballots, one, filmOf) {
  const cells = ballots.filter((votes) => votes.length).map((votes) => {
    const films = new Map();
    for (const vote of votes) {
      const value = vote.better === null ? 0 : vote.better === one ? 1 : -1;
      films.set(filmOf(vote.stretch), [...(films.get(filmOf(vote.stretch)) ?? []), value]);
    }
    return films;
  });
  const films = [...(cells[0]?.keys() ?? [])].filter((film) => cells.every((each) => each.has(film)));
  return { films, rows: cells.map((each) => films.map((film) => averageOf(each.get(film)))) };
}

function unitsOf(count, noun) {
  return count === 1 ? `this ${noun}` : `these ${count} ${noun}s`;
}

// What can be said of votes, a list for each listener; `cannot` says of what nothing can.
function preference(ballots, one, filmOf) {
  const { films, rows } = voteTable(ballots, one, filmOf);
  const listeners = rows.length, enough = [listeners >= MIN_UNITS, films.length >= MIN_UNITS];
  const few = (count, noun) => `Of other ${noun}s it cannot be said: ${plural(count, noun)}, ` +
    `${MIN_UNITS} or more are needed.`;
  const cannot = [enough[0] ? null : few(listeners, "listener"), enough[1] ? null : few(films.length, "film")]
    .filter(Boolean);
  if (!films.length || (!enough[0] && !enough[1])) return { listeners, films: films.length, cannot, found: null };
  let table = rows;
  if (!enough[0]) table = [films.map((_, at) => averageOf(rows.map((row) => row[at])))];
  if (!enough[1]) table = rows.map((row) => [averageOf(row)]);
  const holds = `for ${enough[0] ? `listeners like these ${listeners}` : unitsOf(listeners, "listener")} and ` +
    `${enough[1] ? `films like these ${films.length}` : `${unitsOf(films.length, "film")} only`}`;
  return { listeners, films: films.length, cannot, found: { ...meanInterval(table), holds } };
}
