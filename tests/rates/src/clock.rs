use std::time::Instant;

/// Adds up the fastest of several passes, part by part: what else the machine does lengthens some parts of
/// each pass, and seldom the same one in all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fastest(Vec<f64>);

impl Fastest {
    /// Does a part, and notes how many seconds it took if it was never faster.
    pub(crate) fn note<T>(&mut self, part: usize, work: impl FnOnce() -> T) -> T {
        #[expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]
        let began = Instant::now();
        let done = work();
        self.keep(part, began.elapsed().as_secs_f64());
        done
    }

    fn keep(&mut self, part: usize, seconds: f64) {
        self.0.resize(self.0.len().max(part + 1), f64::INFINITY);
        if let Some(least) = self.0.get_mut(part) {
            *least = least.min(seconds);
        }
    }

    /// Seconds of all parts.
    pub(crate) fn seconds(&self) -> f64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_of_each_part_counts() {
        let mut fastest = Fastest::default();
        for (part, seconds) in [(0, 2.0), (1, 5.0), (0, 3.0), (1, 4.0)] {
            fastest.keep(part, seconds);
        }
        assert!((fastest.seconds() - 6.0).abs() < 1e-9);
        assert_eq!(fastest.note(0, || 7), 7);
        assert!(fastest.seconds() < 6.0);
    }
}
