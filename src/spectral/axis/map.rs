//! An axis map: one spatial step, or a chain of them, along one axis of a component.
//!
//! What enters: sizes and a rule (each rule has its own file beside this one). What leaves: a banded matrix with an
//! additive constant. Nothing is known here of blocks or frequencies; that is
//! [`CoefficientMap`](super::CoefficientMap).

/// The affine map `y = R x + b` from `n_in` samples to `n_out` samples along one axis.
///
/// x and y are level-shifted samples (sample - 128, T.81 A.3.1), so 0 is mid-grey and -128 is black. R is banded: row o
/// is a first column and a short run of taps. b is zero except where a step padded with a constant
/// ([`Pad::Constant`](super::Pad)); then row o of R sums to less than 1 and b\[o\] makes up for it.
///
/// Every other constructor gives rows that sum to 1 (a smoothing kernel as its taps do), so the level shift passes
/// through unseen.
#[derive(Debug, Clone, PartialEq)]
pub struct AxisMap {
    n_in: usize,
    rows: Vec<Row>,
    /// Taps of the rows that are not short.
    long: Vec<f64>,
    /// One constant a row, or empty when all are zero.
    bias: Vec<f64>,
}

/// Taps of a short row: bilinear resizing has 2, after bilinear upsampling 3.
const SHORT: usize = 4;

/// A row of R.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    /// First column.
    start: usize,
    /// Number of taps.
    len: usize,
    taps: Taps,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Taps {
    /// At most [`SHORT`], zeros behind the last.
    Short([f64; SHORT]),
    /// From this place in `long` on.
    Long(usize),
}

impl AxisMap {
    /// Samples read: columns of R.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Samples made: rows of R.
    pub fn n_out(&self) -> usize {
        self.rows.len()
    }

    /// Row o of R: its first column and its taps. No taps: the row is constant. Panics if `o >= n_out`.
    #[inline]
    pub fn row(&self, o: usize) -> (usize, &[f64]) {
        let row = &self.rows[o];
        match &row.taps {
            Taps::Short(taps) => (row.start, &taps[..row.len.min(SHORT)]),
            Taps::Long(from) => (row.start, &self.long[*from..from + row.len]),
        }
    }

    /// The constant added to output o, in level-shifted samples. Panics if `o >= n_out`.
    pub fn bias(&self, o: usize) -> f64 {
        if self.bias.is_empty() { 0.0 } else { self.bias[o] }
    }

    /// Whether any output has a constant added.
    pub fn has_bias(&self) -> bool {
        !self.bias.is_empty()
    }

    /// Whether every output sample is the input sample of the same number, exactly.
    pub fn is_identity(&self) -> bool {
        self.n_in == self.n_out() && !self.has_bias() && (0..self.n_out()).all(|o| self.row(o) == (o, &[1.0]))
    }

    /// This map first, then `next`: the product of the two matrices, constants included.
    ///
    /// # Panics
    ///
    /// If `next` does not read what this map makes (`next.n_in() != self.n_out()`): a chain built wrongly, which no file
    /// can cause.
    #[must_use]
    pub fn then(&self, next: &AxisMap) -> AxisMap {
        assert_eq!(self.n_out(), next.n_in, "an axis map must read what the one before it makes");
        let mut rows = Rows::new(self.n_in, next.n_out());
        for o in 0..next.n_out() {
            let (start, taps) = next.row(o);
            let mut bias = next.bias(o);
            if self.has_bias() {
                bias += taps.iter().zip(&self.bias[start..]).map(|(w, b)| w * b).sum::<f64>();
            }
            match taps {
                [1.0] => {
                    let (start, taps) = self.row(start);
                    rows.push_inside(start, taps);
                }
                &[upper, lower] => rows.push_blend(self, start, [upper, lower]),
                _ => rows.push_sum(self, start, taps),
            }
            rows.set_bias(bias);
        }
        rows.finish()
    }

    /// The same of samples that are number `offset` and on of `n_in`: `crop(n_in, offset, self.n_in()).then(self)`, to the
    /// last bit, for a window inside the image.
    pub(in crate::spectral) fn shifted(mut self, n_in: usize, offset: usize) -> AxisMap {
        debug_assert!(offset + self.n_in <= n_in);
        for row in self.rows.iter_mut().filter(|row| row.len > 0) {
            row.start += offset;
        }
        AxisMap { n_in, ..self }
    }

    /// Bytes that a row of so many taps takes while a map grows, its constant included.
    pub(in crate::spectral) fn row_bytes(taps: u64) -> u64 {
        // A vector that grows may have twice the room it needs.
        let long = if taps > SHORT as u64 { 2 * size_of::<f64>() as u64 * taps } else { 0 };
        (size_of::<Row>() + 2 * size_of::<f64>()) as u64 + long
    }

    /// Applies the map to samples: the plain definition, for tests and the pixel path.
    ///
    /// `samples` are level-shifted; those beyond `n_in` are not read, missing ones count as 0.
    pub fn apply(&self, samples: &[f64]) -> Vec<f64> {
        (0..self.n_out())
            .map(|o| {
                let (start, taps) = self.row(o);
                let seen = samples.get(start..).unwrap_or(&[]);
                self.bias(o) + taps.iter().zip(seen).map(|(w, x)| w * x).sum::<f64>()
            })
            .collect()
    }
}

/// Rows of an [`AxisMap`] in the making.
///
/// The one place that clamps: a tap outside `0..n_in` is added to the nearest sample (border replicate), so no
/// constructor can make a column that does not exist. With `n_in` 0 there is no sample and rows have no taps.
pub(super) struct Rows {
    map: AxisMap,
}

impl Rows {
    /// No rows yet; there will be `n_out`.
    pub(super) fn new(n_in: usize, n_out: usize) -> Rows {
        Rows { map: AxisMap { n_in, rows: Vec::with_capacity(n_out), long: Vec::new(), bias: Vec::new() } }
    }

    /// A row that copies sample `x`, or the border sample nearest to it.
    pub(super) fn push_copy(&mut self, x: i64) {
        let Some(last) = self.map.n_in.checked_sub(1) else { return self.push_short(0, 0, [0.0; SHORT]) };
        self.push_short(x.clamp(0, last as i64) as usize, 1, [1.0, 0.0, 0.0, 0.0]);
    }

    /// A row that lies `fraction` (0..1) of the way from sample `x` to the next, border replicate: what
    /// `push(x, &[1 - fraction, fraction])` does, without its generality.
    pub(super) fn push_between(&mut self, x: i64, fraction: f64) {
        if fraction == 0.0 || x < 0 || x.saturating_add(1) >= self.map.n_in as i64 {
            return self.push_copy(x);
        }
        self.push_short(x as usize, 2, [1.0 - fraction, fraction, 0.0, 0.0]);
    }

    /// A row without taps: the constant `value`, in level-shifted samples.
    pub(super) fn push_constant(&mut self, value: f64) {
        self.push_inside(0, &[]);
        self.set_bias(value);
    }

    /// A row of taps from column `start` on, clamped to the border. Zero taps at its ends are left out.
    pub(super) fn push(&mut self, start: i64, taps: &[f64]) {
        if let (&[first, .., last], Ok(column)) = (taps, usize::try_from(start))
            && first != 0.0
            && last != 0.0
            && column.saturating_add(taps.len()) <= self.map.n_in
        {
            return self.push_inside(column, taps);
        }
        let Some(leading) = taps.iter().position(|&w| w != 0.0) else { return self.push_inside(0, &[]) };
        let used = taps.iter().rposition(|&w| w != 0.0).map_or(0, |last| last + 1);
        let (start, taps) = (start.saturating_add(leading as i64), &taps[leading..used]);
        let Some(last) = self.map.n_in.checked_sub(1) else { return self.push_inside(0, &[]) };
        let column = |t: usize| start.saturating_add(t as i64).clamp(0, last as i64) as usize;
        let (first, end) = (column(0), column(taps.len() - 1) + 1);
        if end - first == taps.len() {
            return self.push_inside(first, taps);
        }
        let sums = self.open_row(first, end - first);
        for (t, w) in taps.iter().enumerate() {
            sums[column(t) - first] += w;
        }
    }

    /// A row whose columns are known to exist.
    fn push_inside(&mut self, start: usize, taps: &[f64]) {
        let sums = self.open_row(start, taps.len());
        sums.iter_mut().zip(taps).for_each(|(sum, w)| *sum = *w);
    }

    /// The sum of `weights[t]` times row `first + t` of `map`, for two short rows of which the lower starts where the
    /// upper does or one sample later, as those of an upsampling do; others go the long way.
    fn push_blend(&mut self, map: &AxisMap, first: usize, weights: [f64; 2]) {
        let [upper, lower] = [map.rows[first], map.rows[first + 1]];
        let shift = lower.start.wrapping_sub(upper.start);
        match (upper.taps, lower.taps) {
            (Taps::Short(a), Taps::Short(b)) if upper.len > 0 && lower.len > 0 && shift <= 1 && lower.len < SHORT => {
                // Branch-free: which of the two it is follows no pattern.
                let b = [[b[0], b[1], b[2], b[3]], [0.0, b[0], b[1], b[2]]][shift & 1];
                let taps = std::array::from_fn(|t| weights[0] * a[t] + weights[1] * b[t]);
                self.push_short(upper.start, upper.len.max(lower.len + shift), taps);
            }
            _ => self.push_sum(map, first, &weights),
        }
    }

    /// The sum of `weights[t]` times row `first + t` of `map`.
    fn push_sum(&mut self, map: &AxisMap, first: usize, weights: &[f64]) {
        let (mut lo, mut hi) = (usize::MAX, 0);
        for o in first..first + weights.len() {
            let (start, taps) = map.row(o);
            if !taps.is_empty() {
                (lo, hi) = (lo.min(start), hi.max(start + taps.len()));
            }
        }
        if lo >= hi {
            return self.push_short(0, 0, [0.0; SHORT]);
        }
        let sums = self.open_row(lo, hi - lo);
        for (o, weight) in (first..).zip(weights) {
            let (start, taps) = map.row(o);
            // An empty row starts nowhere.
            let sums = sums.get_mut(start.wrapping_sub(lo)..).unwrap_or(&mut []);
            for (sum, w) in sums.iter_mut().zip(taps) {
                *sum += weight * w;
            }
        }
    }

    /// A new row of zero taps, to be filled.
    fn open_row(&mut self, start: usize, len: usize) -> &mut [f64] {
        let from = self.map.long.len();
        if len <= SHORT {
            self.push_short(start, len, [0.0; SHORT]);
        } else {
            self.map.long.resize(from + len, 0.0);
            self.push_row(Row { start, len, taps: Taps::Long(from) });
        }
        match self.map.rows.last_mut().map(|row| &mut row.taps) {
            Some(Taps::Short(taps)) => &mut taps[..len],
            _ => &mut self.map.long[from..],
        }
    }

    #[inline]
    fn push_short(&mut self, start: usize, len: usize, taps: [f64; SHORT]) {
        self.push_row(Row { start, len, taps: Taps::Short(taps) });
    }

    #[inline]
    fn push_row(&mut self, row: Row) {
        self.map.rows.push(row);
        if !self.map.bias.is_empty() {
            self.map.bias.push(0.0);
        }
    }

    /// Gives the last row its constant.
    fn set_bias(&mut self, value: f64) {
        if value != 0.0 {
            self.map.bias.resize(self.map.rows.len(), 0.0);
            if let Some(last) = self.map.bias.last_mut() {
                *last = value;
            }
        }
    }

    pub(super) fn finish(self) -> AxisMap {
        self.map
    }
}
