use super::keys::Keys;
use super::random::Random;

const APPS: [&str; 24] = [
    "accounts",
    "ads",
    "audit",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "crm",
    "delivery",
    "email",
    "fraud",
    "gateway",
    "identity",
    "inventory",
    "invoices",
    "notifications",
    "orders",
    "payments",
    "pricing",
    "profile",
    "recommendations",
    "reviews",
    "search",
    "shipping",
];

/// Objects an application writes each hour.
const PARTS: u32 = 24;

/// Logs as Spark partitions them: per application and hour, all parts of a job bear the job's id.
pub(super) fn keys(rows: usize) -> Keys {
    let mut random = Random::new(2);
    let mut keys = Keys::default();
    for hour in hours() {
        for app in APPS {
            let job = random.uuid();
            for part in 0..PARTS {
                if keys.len() == rows {
                    return keys;
                }
                let key = format!("logs/app={app}/{hour}/part-{part:05}-{job}.c000.snappy.parquet");
                keys.push(key.as_bytes());
            }
        }
    }
    keys
}

/// The partitions of one hour each, from 2024 on.
fn hours() -> impl Iterator<Item = String> {
    let months = (2024..).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let days = months.flat_map(|(year, month)| (1..=days_of(year, month)).map(move |day| (year, month, day)));
    days.flat_map(|(year, month, day)| {
        (0..24).map(move |hour| format!("year={year}/month={month:02}/day={day:02}/hour={hour:02}"))
    })
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_job_share_its_directory() {
        let keys = keys(1_000);
        assert_eq!((keys.len(), keys.sorted().len()), (1_000, 1_000));
        let first = String::from_utf8(keys.get(0).to_vec()).unwrap();
        assert!(
            first.starts_with("logs/app=accounts/year=2024/month=01/day=01/hour=00/part-00000-"),
            "{first}"
        );
        let last = String::from_utf8(keys.get(999).to_vec()).unwrap();
        assert!(last.contains("hour=01/part-00015-"), "{last}");
    }

    #[test]
    fn leap_days_are_there() {
        assert_eq!(hours().nth(24 * 59).unwrap(), "year=2024/month=02/day=29/hour=00");
        assert_eq!(hours().nth(24 * 366).unwrap(), "year=2025/month=01/day=01/hour=00");
    }
}
