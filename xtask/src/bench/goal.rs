use std::fmt;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    /// The figure, and whether it is as it should be.
    pub(super) fn judge(self, figure: f64) -> String {
        let reached = match self {
            Self::AtLeast(least) => figure >= least,
            Self::AtMost(most) => figure <= most,
        };
        format!("{figure:.2}, {}", if reached { "reached" } else { "missed" })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_is_reached() {
        assert_eq!(Goal::AtLeast(0.5).judge(0.5), "0.50, reached");
        assert_eq!(Goal::AtLeast(0.5).judge(0.499), "0.50, missed");
        assert_eq!(Goal::AtMost(1.2).judge(1.2), "1.20, reached");
        assert_eq!(Goal::AtMost(12.0).judge(12.01), "12.01, missed");
        assert_eq!(format!("{}, {}", Goal::AtLeast(0.68), Goal::AtMost(6.0)), "≥ 0.68, ≤ 6");
    }
}
