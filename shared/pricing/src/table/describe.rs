use std::fmt;

use super::{PriceTable, Step};

/// The table for people.
impl fmt::Display for PriceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, value) in
            [("Region", self.region()), ("Date", self.date()), ("Currency", Some(self.currency()))]
        {
            let label = format!("{label}:");
            writeln!(f, "{label:<10}{}", value.unwrap_or("unknown"))?;
        }
        writeln!(f, "Storage, a GB-month of 2^30 bytes:")?;
        for (class, price) in &self.classes {
            let steps = self.volume_steps.get(class).map(Vec::as_slice).unwrap_or_default();
            writeln!(f, "  {class:<36}${price}{}", Steps(steps))?;
        }
        let monitoring = self.monitoring.per_1000_objects;
        let (archive, standard) = (self.overhead.bytes >> 10, self.overhead.standard_bytes >> 10);
        for (rule, classes) in [
            ("Objects below 128 KiB are billed as 128 KiB".to_owned(), &self.minimum.classes),
            (
                format!("Monitoring costs ${monitoring} for 1000 objects of 128 KiB and more"),
                &self.monitoring.classes,
            ),
            (
                format!("Each object takes {archive} KiB more, and {standard} KiB at the price of STANDARD"),
                &self.overhead.classes,
            ),
        ] {
            writeln!(f, "{rule}:")?;
            classes.iter().try_for_each(|class| writeln!(f, "  {class}"))?;
        }
        Ok(())
    }
}

struct Steps<'a>(&'a [Step]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| write!(f, ", from {} GB on ${}", step.from_gb, step.price))
    }
}
