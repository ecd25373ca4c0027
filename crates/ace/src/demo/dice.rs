//! Chance that comes out the same every time: the demo of today is the demo of tomorrow.

/// A small generator (splitmix64) seeded by words. Never for secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice for one purpose: the same words throw the same.
    pub fn of(words: &[&str], number: usize) -> Self {
        // FNV-1a, with a byte between the words
        let bytes = words.iter().flat_map(|word| word.bytes().chain([0]));
        let seed = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        let mut dice = Self(seed ^ (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice.throw();
        dice
    }

    /// 64 bits.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for `n` = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.throw() % n }
    }

    /// True in `percent` of cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several; `None` of none.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(all.len() as u64)).unwrap_or(0);
        all.get(index)
    }

    /// The index of one of several weights, the heavier the likelier.
    pub fn weighed(&mut self, weights: &[u64]) -> u64 {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in (0..).zip(weights) {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// An id that comes out the same every time, in the form of a random one.
    pub fn id(&mut self) -> uuid::Uuid {
        let bits = (u128::from(self.throw()) << 64) | u128::from(self.throw());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_throw_the_same_and_others_do_not() {
        let throws = |words: &[&str], n| {
            let mut dice = Dice::of(words, n);
            [dice.throw(), dice.throw(), dice.throw()]
        };
        assert_eq!(throws(&["a", "b"], 7), throws(&["a", "b"], 7));
        assert_ne!(throws(&["a", "b"], 7), throws(&["a", "b"], 8));
        assert_ne!(throws(&["a", "b"], 7), throws(&["ab"], 7));
    }

    #[test]
    fn chances_come_out_about_as_often_as_they_say() {
        let hits = (0..10_000).filter(|n| Dice::of(&["chance"], *n).chance(30)).count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
        let mut dice = Dice::of(&["weights"], 1);
        assert!((0..1_000).all(|_| dice.weighed(&[0, 5, 0]) == 1));
        assert_eq!((dice.below(0), dice.pick::<u8>(&[])), (0, None));
    }
}
