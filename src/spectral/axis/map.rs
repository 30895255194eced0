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
    /// First column of each row.
    starts: Vec<usize>,
    /// Row o has `taps[bounds[o]..bounds[o + 1]]`.
    bounds: Vec<usize>,
    taps: Vec<f64>,
    /// One constant a row, or empty when all are zero.
    bias: Vec<f64>,
}

impl AxisMap {
    /// Samples read: columns of R.
    pub fn n_in(&self) -> usize {
        self.n_in
    }

    /// Samples made: rows of R.
    pub fn n_out(&self) -> usize {
        self.starts.len()
    }

    /// Row o of R: its first column and its taps. No taps: the row is constant. Panics if `o >= n_out`.
    pub fn row(&self, o: usize) -> (usize, &[f64]) {
        (self.starts[o], &self.taps[self.bounds[o]..self.bounds[o + 1]])
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
        let mut rows = Rows::new(self.n_in, next.n_out(), self.taps.len().max(2 * next.taps.len()));
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
                _ => rows.push_sum(self, start, taps),
            }
            rows.set_bias(bias);
        }
        rows.finish()
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
    /// No rows yet; `taps` is a guess at how many taps there will be.
    pub(super) fn new(n_in: usize, n_out: usize, taps: usize) -> Rows {
        let mut bounds = Vec::with_capacity(n_out + 1);
        bounds.push(0);
        Rows {
            map: AxisMap {
                n_in,
                starts: Vec::with_capacity(n_out),
                bounds,
                taps: Vec::with_capacity(taps),
                bias: Vec::new(),
            },
        }
    }

    /// A row that copies sample `x`, or the border sample nearest to it.
    pub(super) fn push_copy(&mut self, x: i64) {
        let Some(last) = self.map.n_in.checked_sub(1) else { return self.close_row(0) };
        self.map.taps.push(1.0);
        self.close_row(x.clamp(0, last as i64) as usize);
    }

    /// A row that lies `fraction` (0..1) of the way from sample `x` to the next, border replicate: what
    /// `push(x, &[1 - fraction, fraction])` does, without its generality.
    pub(super) fn push_between(&mut self, x: i64, fraction: f64) {
        if fraction == 0.0 || x < 0 || x.saturating_add(1) >= self.map.n_in as i64 {
            return self.push_copy(x);
        }
        self.map.taps.extend([1.0 - fraction, fraction]);
        self.close_row(x as usize);
    }

    /// A row without taps: the constant `value`, in level-shifted samples.
    pub(super) fn push_constant(&mut self, value: f64) {
        self.push_inside(0, &[]);
        self.set_bias(value);
    }

    /// A row of taps from column `start` on, clamped to the border. Zero taps at its ends are left out.
    pub(super) fn push(&mut self, start: i64, taps: &[f64]) {
        let Some(leading) = taps.iter().position(|&w| w != 0.0) else { return self.push_inside(0, &[]) };
        let used = taps.iter().rposition(|&w| w != 0.0).map_or(0, |last| last + 1);
        let (start, taps) = (start.saturating_add(leading as i64), &taps[leading..used]);
        let Some(last) = self.map.n_in.checked_sub(1) else { return self.push_inside(0, &[]) };
        let column = |t: usize| start.saturating_add(t as i64).clamp(0, last as i64) as usize;
        let (first, end) = (column(0), column(taps.len() - 1) + 1);
        if end - first == taps.len() {
            return self.push_inside(first, taps);
        }
        let from = self.open_row(end - first);
        for (t, w) in taps.iter().enumerate() {
            self.map.taps[from + column(t) - first] += w;
        }
        self.close_row(first);
    }

    /// A row whose columns are known to exist.
    fn push_inside(&mut self, start: usize, taps: &[f64]) {
        self.map.taps.extend_from_slice(taps);
        self.close_row(start);
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
            return self.close_row(0);
        }
        let from = self.open_row(hi - lo);
        let sums = &mut self.map.taps[from..];
        for (o, weight) in (first..).zip(weights) {
            let (start, taps) = map.row(o);
            // An empty row starts nowhere.
            let sums = sums.get_mut(start.wrapping_sub(lo)..).unwrap_or(&mut []);
            for (sum, w) in sums.iter_mut().zip(taps) {
                *sum += weight * w;
            }
        }
        self.close_row(lo);
    }

    fn open_row(&mut self, len: usize) -> usize {
        let from = self.map.taps.len();
        // A loop: a row is too short for a call to fill it.
        for _ in 0..len {
            self.map.taps.push(0.0);
        }
        from
    }

    fn close_row(&mut self, start: usize) {
        self.map.starts.push(start);
        self.map.bounds.push(self.map.taps.len());
        if !self.map.bias.is_empty() {
            self.map.bias.push(0.0);
        }
    }

    /// Gives the last row its constant.
    fn set_bias(&mut self, value: f64) {
        if value != 0.0 {
            self.map.bias.resize(self.map.starts.len(), 0.0);
            if let Some(last) = self.map.bias.last_mut() {
                *last = value;
            }
        }
    }

    pub(super) fn finish(self) -> AxisMap {
        self.map
    }
}
