use wide::u8x16;

const BLOCK: usize = 64;
const LANES: usize = 16;

/// The positions of a window's quotes.
#[derive(Default)]
pub(super) struct Quotes {
    /// Longer than what is filled: a block writes its positions without asking how many they are.
    at: Vec<u32>,
    filled: usize,
}

impl Quotes {
    /// Finds all quotes of a window, which is shorter than 4 GiB.
    pub(super) fn find(&mut self, window: &[u8]) {
        if self.at.len() < window.len() + 2 * BLOCK {
            self.at.resize(window.len() + 2 * BLOCK, 0);
        }
        self.filled = 0;
        let (blocks, rest) = window.as_chunks::<BLOCK>();
        for (nth, block) in blocks.iter().enumerate() {
            self.add(mask(block), (nth * BLOCK) as u32);
        }
        let mut last = [0; BLOCK];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        self.add(mask(&last), (blocks.len() * BLOCK) as u32);
    }

    /// All of them, in their order.
    #[inline]
    pub(super) fn all(&self) -> &[u32] {
        self.at.get(..self.filled).unwrap_or_default()
    }

    /// Adds a block's. Eight at a time, so that how many they are is rarely a branch mispredicted.
    #[inline]
    fn add(&mut self, mut mask: u64, base: u32) {
        let count = mask.count_ones() as usize;
        let Some(slots) = self.at.get_mut(self.filled..self.filled + BLOCK) else { return };
        for slots in slots.as_chunks_mut::<8>().0 {
            for slot in slots {
                *slot = base + mask.trailing_zeros();
                mask &= mask.wrapping_sub(1);
            }
            if mask == 0 {
                break;
            }
        }
        self.filled += count;
    }
}

/// A bit for each quote of a block.
#[inline]
fn mask(block: &[u8; BLOCK]) -> u64 {
    let quote = u8x16::splat(b'"');
    let mut mask = 0;
    for (nth, lanes) in block.as_chunks::<LANES>().0.iter().enumerate() {
        let found = u8x16::new(*lanes).simd_eq(quote).to_bitmask();
        mask |= u64::from(found) << (nth * LANES);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let mut quotes = Quotes::default();
        for len in 0..300 {
            for step in [1, 2, 3, 7, 64, 1000] {
                let window: Vec<u8> = (0..len).map(|at| if at % step == 0 { b'"' } else { b'!' }).collect();
                quotes.find(&window);
                let plain: Vec<u32> = (0..len as u32).step_by(step).collect();
                assert_eq!(quotes.all(), plain, "length {len}, every {step}");
            }
        }
    }
}
