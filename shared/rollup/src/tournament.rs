//! Whose key comes first among many: a tournament, whose losers wait at the match that they lost until the
//! winner has its next key.
//!
//! Keys are compared by where, and by what, they differ from the key that won last (offset-value coding): of
//! two that come after it, the one that shares more with it comes first. Bytes are looked at only where two
//! keys differ from it at one place and by one symbol, and only those behind that place.

use std::cmp::Ordering;

use s3inv_model::prefix;

/// A prefix, and where its name begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'k> {
    pub(crate) bytes: &'k [u8],
    pub(crate) parent_len: usize,
}

impl<'k> Key<'k> {
    pub(crate) fn new(bytes: &'k [u8]) -> Self {
        Self { bytes, parent_len: prefix::parent_len(bytes) }
    }

    pub(crate) fn comes_before(self, other: Self) -> bool {
        self.bytes.split_at(self.parent_len) < other.bytes.split_at(other.parent_len)
    }

    fn bytes_from(self, at: usize) -> &'k [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    fn symbol_of_parent(self, place: usize) -> u32 {
        if place == self.parent_len { END } else { self.symbol_at(place) }
    }

    fn symbol_at(self, byte: usize) -> u32 {
        self.bytes.get(byte).map_or(END, |&byte| u32::from(byte) + 1)
    }

    /// The order of two keys, and the code of the later one after the other. So many symbols are known to be
    /// the same.
    pub(crate) fn compare(self, other: Self, known: usize) -> (Ordering, Code) {
        // In a name, symbols stand one further on than their bytes.
        let from = known.saturating_sub(1);
        let shared = from + prefix::shared_len(self.bytes_from(from), other.bytes_from(from));
        let (place, symbols) = if self.parent_len == other.parent_len && shared >= self.parent_len {
            (shared + 1, [self, other].map(|key| key.symbol_at(shared)))
        } else {
            let place = shared.min(self.parent_len).min(other.parent_len);
            (place, [self, other].map(|key| key.symbol_of_parent(place)))
        };
        match symbols[0].cmp(&symbols[1]) {
            Ordering::Equal => (Ordering::Equal, Code::SAME),
            order => (order, Code::new(place, symbols[0].max(symbols[1]))),
        }
    }
}

/// The symbol that ends a parent and a name; those of bytes are greater.
const END: u32 = 0;

/// How a key differs from one that comes before it; the smaller, the sooner it comes.
///
/// Keys are in the order of their symbols: the parent's bytes and its end, then the name's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(u32);

impl Code {
    /// It does not.
    pub(crate) const SAME: Self = Self(0);
    /// There are no more keys.
    pub(crate) const NONE: Self = Self(u32::MAX);
    /// More places than a key has.
    const PLACES: u32 = 2 << 10;
    /// Bits of a symbol.
    const SYMBOL: u32 = 9;

    fn new(place: usize, symbol: u32) -> Self {
        Self((Self::PLACES - place as u32) << Self::SYMBOL | symbol)
    }

    /// Of a key before which there was none.
    pub(crate) fn of_first(key: Key<'_>) -> Self {
        Self::new(0, key.symbol_of_parent(0))
    }

    /// How many symbols two keys have in common that have this code after the same one.
    fn known(self) -> usize {
        (Self::PLACES - (self.0 >> Self::SYMBOL)) as usize + 1
    }
}

/// Who takes part, behind its code: they are compared at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Player(u64);

impl Player {
    fn new(code: Code, number: usize) -> Self {
        Self(u64::from(code.0) << 32 | number as u64)
    }

    fn code(self) -> Code {
        Code((self.0 >> 32) as u32)
    }

    fn number(self) -> usize {
        self.0 as u32 as usize
    }
}

/// A tournament of players that have a key each, by their numbers.
pub(crate) struct Tournament {
    winner: Player,
    /// The loser of each match. That of match n plays in match n / 2; those of the first round are 2n and
    /// 2n + 1, as if players were the matches behind the last one.
    losers: Vec<Player>,
}

impl Tournament {
    /// Of players whose keys have these codes.
    pub(crate) fn new<'k>(codes: &[Code], key: &impl Fn(usize) -> Key<'k>) -> Self {
        let nobody = Player::new(Code::NONE, 0);
        let mut tournament = Self { winner: nobody, losers: vec![nobody; codes.len()] };
        if !codes.is_empty() {
            tournament.winner = tournament.winner_of(1, codes, key);
        }
        tournament
    }

    fn winner_of<'k>(&mut self, place: usize, codes: &[Code], key: &impl Fn(usize) -> Key<'k>) -> Player {
        if let Some(number) = place.checked_sub(codes.len()) {
            return Player::new(codes[number], number);
        }
        let (a, b) = (self.winner_of(2 * place, codes, key), self.winner_of(2 * place + 1, codes, key));
        let (winner, loser) = play(a, b, key);
        self.losers[place] = loser;
        winner
    }

    /// Who has the first key, if anybody has one.
    pub(crate) fn winner(&self) -> Option<usize> {
        (self.winner.code() != Code::NONE).then(|| self.winner.number())
    }

    /// Whether the first key is that of the winner before.
    pub(crate) fn is_same(&self) -> bool {
        self.winner.code() == Code::SAME
    }

    /// The winner has its next key, whose code this is after the one that it had.
    pub(crate) fn next<'k>(&mut self, code: Code, key: &impl Fn(usize) -> Key<'k>) {
        let number = self.winner.number();
        let mut winner = Player::new(code, number);
        let mut place = (self.losers.len() + number) >> 1;
        while place > 0 {
            (winner, self.losers[place]) = play(winner, self.losers[place], key);
            place /= 2;
        }
        self.winner = winner;
    }
}

/// The winner and the loser, who has the code after the winner's key. Where codes differ, the loser's is that
/// already: what it shares with the key before it does not share more with the winner's.
#[inline]
fn play<'k>(a: Player, b: Player, key: &impl Fn(usize) -> Key<'k>) -> (Player, Player) {
    let code = a.code();
    if code != b.code() || code == Code::SAME || code == Code::NONE {
        return (a.min(b), a.max(b));
    }
    let (order, code) = key(a.number()).compare(key(b.number()), code.known());
    let (winner, loser) = if order.is_gt() { (b, a) } else { (a, b) };
    (winner, Player::new(code, loser.number()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The keys of all lists in their order, each with whether the one before it was the same.
    fn merged(lists: &[Vec<Vec<u8>>]) -> Vec<(Vec<u8>, bool)> {
        let mut at = vec![0; lists.len()];
        let key_at = |number: usize, at: usize| lists[number].get(at).map(|key| Key::new(key));
        let codes: Vec<_> =
            (0..lists.len()).map(|number| key_at(number, 0).map_or(Code::NONE, Code::of_first)).collect();
        let mut tournament = Tournament::new(&codes, &|number| key_at(number, at[number]).unwrap());
        let mut merged = Vec::new();
        while let Some(first) = tournament.winner() {
            let key = key_at(first, at[first]).unwrap();
            merged.push((key.bytes.to_vec(), tournament.is_same()));
            at[first] += 1;
            let code = key_at(first, at[first]).map_or(Code::NONE, |next| key.compare(next, 0).1);
            tournament.next(code, &|number| key_at(number, at[number]).unwrap());
        }
        merged
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(b'/'), Just(0), Just(b'a'), Just(b'b'), Just(0xff)];
        let long = prop_oneof![9 => Just(0), 1 => Just(1000)];
        (proptest::collection::vec(byte, 0..8), long).prop_map(|(mut key, long)| {
            key.splice(0..0, vec![b'x'; long]);
            key.truncate(prefix::own_directory(&key).len());
            key
        })
    }

    fn list() -> impl Strategy<Value = Vec<Vec<u8>>> {
        proptest::collection::vec(key(), 0..20).prop_map(|mut keys| {
            keys.sort_by(|a, b| prefix::compare(a, b));
            keys.dedup();
            keys
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn keys_come_in_order_and_the_same_ones_are_known(
            lists in proptest::collection::vec(list(), 0..9)
        ) {
            let mut all = lists.concat();
            all.sort_by(|a, b| prefix::compare(a, b));
            let same = |at: usize| at > 0 && all[at - 1] == all[at];
            let expected: Vec<_> = all.iter().enumerate().map(|(at, key)| (key.clone(), same(at))).collect();
            prop_assert_eq!(merged(&lists), expected);
        }

        #[test]
        fn two_keys_are_compared_as_prefixes_are(a in key(), b in key()) {
            let (order, _) = Key::new(&a).compare(Key::new(&b), 0);
            prop_assert_eq!(order, prefix::compare(&a, &b));
        }
    }
}
