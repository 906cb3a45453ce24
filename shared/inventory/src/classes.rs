use s3inv_model::{ClassError, ClassId, Classes};

/// The only class that has tiers; other rows' tiers are no part of their class.
const INTELLIGENT_TIERING: &[u8] = b"INTELLIGENT_TIERING";

struct Known {
    class: Vec<u8>,
    tier: Vec<u8>,
    id: ClassId,
}

/// Classes by the bytes of the file: [`Classes`] would build a name for every row.
#[derive(Default)]
pub(crate) struct ClassCache {
    known: Vec<Known>,
    /// Neighbouring rows mostly have the same class.
    last: usize,
}

impl ClassCache {
    #[inline]
    pub(crate) fn id(
        &mut self,
        classes: &mut Classes,
        class: &[u8],
        tier: &[u8],
    ) -> Result<ClassId, ClassError> {
        match self.known.get(self.last) {
            Some(known) if known.class == class && known.tier == tier => Ok(known.id),
            _ => self.search(classes, class, tier),
        }
    }

    fn search(&mut self, classes: &mut Classes, class: &[u8], tier: &[u8]) -> Result<ClassId, ClassError> {
        let tier = if class == INTELLIGENT_TIERING { tier } else { b"" };
        if let Some(at) = self.known.iter().position(|k| k.class == class && k.tier == tier) {
            self.last = at;
        } else {
            let id = classes.add(class, tier)?;
            self.last = self.known.len();
            self.known.push(Known { class: class.to_vec(), tier: tier.to_vec(), id });
        }
        self.known.get(self.last).map(|known| known.id).ok_or(ClassError::TooMany)
    }
}
