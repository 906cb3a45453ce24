//! Numbers, split: a symbol has how many bits a number has and the first three of them, which is what
//! can be foreseen; the bits behind these are stored as they are.

/// Symbols: those of 64 bits end here.
const SYMBOLS: u8 = 252;

/// The symbol of a number, and how many of its lowest bits it leaves open.
#[inline]
pub(crate) fn split(value: u64) -> (u8, u32) {
    if value < 4 {
        return (value as u8, 0);
    }
    let open = 61 - value.leading_zeros();
    ((4 * (open + 1)) as u8 + (value >> open) as u8 - 4, open)
}

/// What a symbol stands for, all open bits being 0, and how many these are.
#[inline]
pub(super) fn base(symbol: u8) -> Option<(u64, u32)> {
    if symbol < 4 {
        return Some((u64::from(symbol), 0));
    }
    let open = u32::from(symbol / 4 - 1);
    (symbol < SYMBOLS).then_some((u64::from(symbol % 4 + 4) << open, open))
}

/// What is taken off the symbol of the bytes of so many objects, modulo 256: many objects have many bytes.
#[inline]
pub(super) fn expected(objects: u64) -> u8 {
    4 * objects.checked_ilog2().unwrap_or_default() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_in_the_order_of_numbers() {
        let mut next = Some(0);
        for symbol in 0..SYMBOLS {
            let (least, open) = base(symbol).unwrap();
            let most = least + ((1u64 << open) - 1);
            assert_eq!(next, Some(least), "{symbol}");
            for value in [least, most] {
                assert_eq!(split(value), (symbol, open), "{value}");
            }
            next = most.checked_add(1);
        }
        assert_eq!(next, None, "the last one was the largest number");
        assert!((SYMBOLS..=255).all(|symbol| base(symbol).is_none()));
        assert_eq!([0, 1, 2, 3, 4, u64::MAX].map(expected), [0, 0, 4, 4, 8, 252]);
    }
}
