/// Has all contenders take turns, in so many rounds, and keeps what each did for the least cost: so what else
/// the machine does disturbs all alike.
pub(super) fn best<C, T, E>(
    rounds: u32,
    contenders: &[C],
    cost: impl Fn(&T) -> f64,
    mut once: impl FnMut(&C) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut best: Vec<T> = contenders.iter().map(&mut once).collect::<Result<_, E>>()?;
    for _ in 1..rounds {
        for (contender, best) in contenders.iter().zip(&mut best) {
            let next = once(contender)?;
            if cost(&next) < cost(best) {
                *best = next;
            }
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ones_best_is_kept() {
        let mut order = Vec::new();
        let mut costs = [[3.0, 1.0, 2.0].iter(), [9.0, 8.0, 7.0].iter()];
        let best = best(
            3,
            &[0, 1],
            |&cost: &f64| cost,
            |&who: &usize| {
                order.push(who);
                costs[who].next().copied().ok_or(())
            },
        );
        assert_eq!(best, Ok(vec![1.0, 7.0]));
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn who_fails_ends_it() {
        assert_eq!(super::best(2, &[1], |&cost: &f64| cost, |_| Err("broken")), Err("broken"));
    }
}
