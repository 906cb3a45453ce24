use std::time::Duration;

use fastrand::Rng;

/// What may befall in a run, and how often: drawn from its seed.
pub(super) struct Climate {
    /// Of each request to storage.
    requests: f64,
    /// Of each call of a function.
    calls: f64,
    /// What a request may suffer.
    kinds: Vec<Fate>,
    /// How long an answer takes, mostly.
    latency: Duration,
    /// How many answers in a thousand take much longer.
    slow: u32,
    /// How long a function may run.
    pub(super) timeout: Duration,
    /// When somebody stops the execution.
    pub(super) stop: Option<Duration>,
    /// Whether another execution publishes the same inventory meanwhile, and when.
    pub(super) other: Option<Duration>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// An error before its effect: 500, 503, no connection.
    Refused,
    /// An error after its effect.
    AnswerLost,
    /// The body ends too early, and nobody has noticed.
    Cut,
    /// A byte of the body is another one.
    Wrong,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Made,
    /// Too many run.
    Throttled,
    /// What it answers is lost.
    AnswerLost,
    /// It is killed so much later.
    Killed(Duration),
    /// It comes once more so much later.
    Twice(Duration),
}

/// After that an answer is not waited for any longer. Its request may have its effect later.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

impl Climate {
    pub(super) fn of(random: &mut Rng) -> Self {
        let often = |random: &mut Rng, rates: [f64; 4]| rates[random.usize(..rates.len())];
        let all = [Fate::Refused, Fate::Refused, Fate::AnswerLost, Fate::Cut, Fate::Wrong];
        let moment = |random: &mut Rng| random.bool().then(|| pause(random, Duration::from_secs(1)));
        Self {
            requests: often(random, [0.0, 0.002, 0.01, 0.04]),
            calls: often(random, [0.0, 0.02, 0.1, 0.3]),
            kinds: all.into_iter().filter(|_| random.bool()).collect(),
            latency: Duration::from_millis(random.u64(1..80)),
            slow: [0, 2, 10][random.usize(..3)],
            timeout: Duration::from_secs([900, 60, 10, 4][random.usize(..4)]),
            stop: moment(random).filter(|_| random.bool()),
            other: moment(random).filter(|_| random.u8(..4) == 0),
        }
    }

    /// One in which nothing goes wrong any more.
    pub(super) fn calm(&mut self) {
        *self = Self {
            requests: 0.0,
            calls: 0.0,
            kinds: Vec::new(),
            slow: 0,
            timeout: Duration::from_mins(15),
            stop: None,
            other: None,
            ..*self
        };
    }

    /// Whether everything has to go well.
    pub(super) fn is_fair(&self) -> bool {
        (self.requests <= 0.0 || self.kinds.is_empty())
            && self.calls <= 0.0
            && self.timeout > Duration::from_secs(if self.slow == 0 { 5 } else { 60 })
            && self.stop.is_none()
            && self.other.is_none()
    }

    pub(super) fn fate(&self, random: &mut Rng) -> Fate {
        if self.kinds.is_empty() || random.f64() >= self.requests {
            return Fate::Answered;
        }
        self.kinds[random.usize(..self.kinds.len())]
    }

    /// How long it takes until a request has its effect, and from then until it is answered.
    pub(super) fn latency(&self, random: &mut Rng) -> (Duration, Duration) {
        let one = |random: &mut Rng| {
            let slow = random.u32(..1000) < self.slow;
            if slow { pause(random, PATIENCE) } else { self.latency.mul_f64(random.f64()) }
        };
        (one(random), one(random))
    }

    pub(super) fn call(&self, random: &mut Rng) -> Call {
        if random.f64() >= self.calls {
            return Call::Made;
        }
        match random.u8(..6) {
            0 => Call::Throttled,
            1 => Call::AnswerLost,
            2 | 3 => Call::Killed(pause(random, self.latency * 10)),
            4 => Call::Twice(Duration::ZERO),
            _ => Call::Twice(pause(random, Duration::from_secs(10))),
        }
    }
}

/// Mostly less than `usual`, sometimes much more.
fn pause(random: &mut Rng, usual: Duration) -> Duration {
    usual.mul_f64(random.f64() * f64::from(1 << random.u32(..6)) / 4.0)
}
