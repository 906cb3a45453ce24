use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use s3inv_model::{BinId, Binning, Cell, Classes, Dates, Measure, Measures, Schema, Stats};

use super::*;
use crate::Rates;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// So many objects of a class and size.
#[derive(Debug)]
struct Objects {
    class: &'static str,
    count: u64,
    size: u64,
    current: bool,
}

fn objects(count: u64, class: &'static str, size: u64) -> Objects {
    Objects { class, count, size, current: true }
}

fn noncurrent(count: u64, class: &'static str, size: u64) -> Objects {
    Objects { class, count, size, current: false }
}

/// As an index that measures these would count them.
fn counted(measures: Measures, all: &[Objects]) -> (Schema, Vec<Cell>) {
    let classes: Classes = all.iter().map(|objects| objects.class.to_owned()).collect::<Vec<_>>().into();
    let classes = Classes::union([&classes]).unwrap();
    let binning = Binning::new(&measures, 1_000_000);
    let mut cells = BTreeMap::<BinId, (u64, u64)>::new();
    for Objects { class, count, size, current } in all {
        let class = classes.iter().position(|name| name == *class).unwrap() as u8;
        let bin = if *current {
            binning.current(&classes, class, *size, 7)
        } else {
            binning.noncurrent(&classes, class, *size)
        };
        let sums = cells.entry(bin).or_default();
        *sums = (sums.0 + count, sums.1 + count * size);
    }
    let cell = |(bin, (objects, bytes))| Cell { bin, objects, bytes };
    (Schema { measures, classes }, cells.into_iter().map(cell).collect())
}

/// Storage, minimum, monitoring, overhead and total in micro-dollars, of the one class that there is.
fn micro_dollars(all: &[Objects]) -> [i128; 5] {
    let (schema, cells) = counted(Measures::all(), all);
    let table = PriceTable::default();
    let estimate = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
    let classes: Vec<_> = estimate.current.values().collect();
    let [Parts { storage, minimum, monitoring, overhead }] = classes.as_slice() else {
        panic!("{estimate:?}")
    };
    [*storage, *minimum, *monitoring, *overhead, estimate.total].map(|cost| cost.micro_dollars().count())
}

/// 51,200 GB, by hand: 51,200 · $0.023.
#[test]
fn standard_is_billed_by_its_bytes() {
    assert_eq!(micro_dollars(&[objects(50 << 10, "STANDARD", GB)]), [1_177_600_000, 0, 0, 0, 1_177_600_000]);
    assert_eq!(micro_dollars(&[objects(1, "STANDARD", 1)]), [0; 5]);
    // Half a micro-dollar is rounded up: that of 2³⁰ / (2 · 23,000) = 23,342.2 bytes.
    assert_eq!(micro_dollars(&[objects(1, "STANDARD", 23_342)]), [0; 5]);
    assert_eq!(micro_dollars(&[objects(1, "STANDARD", 23_343)]), [1, 0, 0, 0, 1]);
}

/// 10,000 objects of 4 KiB are billed as 10,000 · 128 KiB = 1.220703125 GB at $0.0125: $0.0152587890625, of
/// which their own 0.03814697265625 GB are $0.000476837158203125.
#[test]
fn small_objects_are_billed_as_128_kib() {
    assert_eq!(micro_dollars(&[objects(10_000, "STANDARD_IA", 4 * KIB)]), [477, 14_782, 0, 0, 15_259]);
    // As if they were large: 30,000,000 · 128 KiB = 3662.109375 GB at $0.01.
    let empty = micro_dollars(&[objects(30_000_000, "ONEZONE_IA", 0)]);
    assert_eq!(empty, [0, 36_621_094, 0, 0, 36_621_094]);
}

/// The minimum is each object's own: one of 1 GiB doesn't make up for small ones, whatever the average.
#[test]
fn large_objects_do_not_make_up_for_small_ones() {
    let mixed = [objects(10_000, "GLACIER_IR", 1), objects(10, "GLACIER_IR", GB)];
    // 10 GB and 10,000 bytes at $0.004; 10,000 · (131,072 − 1) bytes = 1.220693811774254 GB at $0.004.
    assert_eq!(micro_dollars(&mixed), [40_000, 4_883, 0, 0, 44_883]);
    let exactly = micro_dollars(&[objects(8192, "GLACIER_IR", 128 * KIB)]);
    assert_eq!(exactly, [4_000, 0, 0, 0, 4_000]);
}

/// A million objects of 1 MiB: 976.5625 GB at $0.0036; 32 KiB more of each at the same price are
/// 30.517578125 GB, $0.10986328125, and 8 KiB at $0.023 are 7.62939453125 GB, $0.17547607421875.
#[test]
fn archives_add_to_each_object() {
    let glacier = micro_dollars(&[objects(1_000_000, "GLACIER", MIB)]);
    assert_eq!(glacier, [3_515_625, 0, 0, 285_339, 3_800_964]);
    // $0.00099 for 976.5625 and 30.517578125 GB: $0.966796875 and $0.03021240234375.
    let deep = micro_dollars(&[objects(1_000_000, "DEEP_ARCHIVE", MIB)]);
    assert_eq!(deep, [966_797, 0, 0, 205_688, 1_172_485]);
    // However small they are.
    let empty = micro_dollars(&[objects(1_000_000, "DEEP_ARCHIVE", 0)]);
    assert_eq!(empty, [0, 0, 0, 205_688, 205_688]);
}

#[test]
fn intelligent_tiering_monitors_objects_of_128_kib_and_more() {
    // 1,000 MiB are 0.9765625 GB at $0.023; $0.0025 for 1,000 objects.
    let large = micro_dollars(&[objects(1000, "INTELLIGENT_TIERING_FREQUENT", MIB)]);
    assert_eq!(large, [22_461, 0, 2_500, 0, 24_961]);
    // 131,071,000 bytes at $0.023: neither monitored nor billed as more.
    let small = micro_dollars(&[objects(1000, "INTELLIGENT_TIERING_FREQUENT", 128 * KIB - 1)]);
    assert_eq!(small, [2_808, 0, 0, 0, 2_808]);
    let limit = micro_dollars(&[objects(1000, "INTELLIGENT_TIERING_INFREQUENT", 128 * KIB)]);
    assert_eq!(limit, [1_526, 0, 2_500, 0, 4_026]);
}

/// Its archive tiers are monitored, and add to each object.
#[test]
fn archive_tiers_have_both() {
    let archive = micro_dollars(&[objects(1_000_000, "INTELLIGENT_TIERING_ARCHIVE", MIB)]);
    assert_eq!(archive, [3_515_625, 0, 2_500_000, 285_339, 6_300_964]);
    let deep = micro_dollars(&[objects(1_000_000, "INTELLIGENT_TIERING_DEEP_ARCHIVE", MIB)]);
    assert_eq!(deep, [966_797, 0, 2_500_000, 205_688, 3_672_485]);
    let instant = micro_dollars(&[objects(1_000_000, "INTELLIGENT_TIERING_ARCHIVE_INSTANT", MIB)]);
    assert_eq!(instant, [3_906_250, 0, 2_500_000, 0, 6_406_250]);
}

#[test]
fn noncurrent_versions_are_shown_apart() {
    let all =
        [objects(1, "STANDARD", GB), noncurrent(2, "STANDARD", GB), noncurrent(10_000, "STANDARD_IA", 0)];
    let (schema, cells) = counted(Measures::all(), &all);
    let table = PriceTable::default();
    let of_class = |parts: &Parts| parts.total().micro_dollars().count();
    let told = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
    assert_eq!(
        told.current.iter().map(|(c, p)| (*c, of_class(p))).collect::<Vec<_>>(),
        [("STANDARD", 23_000)]
    );
    let apart: Vec<_> =
        told.noncurrent.iter().flatten().map(|(class, parts)| (*class, of_class(parts))).collect();
    assert_eq!(apart, [("STANDARD", 46_000), ("STANDARD_IA", 15_259)]);
    assert_eq!(told.total.micro_dollars().count(), 84_259);
    assert_eq!((told.region, told.date, told.currency), (Some("us-east-1"), Some("2025-10"), "USD"));
    assert!(told.unpriced.is_empty());

    let (schema, cells) = counted(Measures::all().without(Measure::Noncurrent), &all[..1]);
    let untold = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
    assert_eq!(untold.noncurrent, None);
}

#[test]
fn what_has_no_price_is_named_and_left_out() {
    let all = [objects(1, "STANDARD", GB), objects(3, "QUANTUM_FOAM", 5), noncurrent(2, "QUANTUM_FOAM", 7)];
    let (schema, cells) = counted(Measures::all(), &all);
    let table = PriceTable::default();
    let estimate = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
    assert_eq!(estimate.total.micro_dollars().count(), 23_000);
    assert_eq!(estimate.unpriced, [("QUANTUM_FOAM", Unpriced { objects: 5, bytes: 29 })].into());
    assert!(!estimate.current.contains_key("QUANTUM_FOAM"));
    let rates = Rates::new(&table, &schema).unwrap();
    assert_eq!(rates.unpriced(), ["QUANTUM_FOAM"]);
    assert_eq!(rates.total(&cells), estimate.total);
}

#[test]
fn what_an_index_lacks_is_an_error() {
    let table = PriceTable::default();
    for (measures, missing) in [
        (Measures::default(), Missing::Sizes),
        (Measures::all().without(Measure::Bytes), Missing::Sizes),
        (Measures::all().without(Measure::Classes).without(Measure::Cost), Missing::Classes),
        (Measures::all().without(Measure::Cost), Missing::Cost),
    ] {
        let schema = Schema { measures, classes: Classes::default() };
        assert_eq!(estimate(&Stats::new(&schema, &[], Dates::NONE), &table), Err(missing));
        assert_eq!(estimate_in_steps(&Stats::new(&schema, &[], Dates::NONE), &table), Err(missing));
        assert_eq!(Rates::new(&table, &schema).map(|_| ()), Err(missing));
    }
    let least = [Measure::Bytes, Measure::Classes, Measure::Cost].into_iter().collect();
    let schema = Schema { measures: least, classes: Classes::default() };
    assert!(estimate(&Stats::new(&schema, &[], Dates::NONE), &table).is_ok());
}

/// What steps take off, and the total, in micro-dollars.
fn in_steps(all: &[Objects]) -> (i128, i128) {
    let (schema, cells) = counted(Measures::all(), all);
    let table = PriceTable::default();
    let stats = Stats::new(&schema, &cells, Dates::NONE);
    let stepped = estimate_in_steps(&stats, &table).unwrap();
    assert_eq!(stepped.current, estimate(&stats, &table).unwrap().current);
    let micro = |cost: Cost| cost.micro_dollars().count();
    (micro(stepped.volume_discount.unwrap()), micro(stepped.total))
}

/// 600 TB: 51,200 GB at $0.023, 460,800 at $0.022 and 102,400 at $0.021 are
/// $1,177.60 + $10,137.60 + $2,150.40 = $13,465.60; without steps they are $14,131.20.
#[test]
fn volume_steps_apply_to_all_that_is_asked_for() {
    assert_eq!(in_steps(&[objects(50 << 10, "STANDARD", GB)]), (0, 1_177_600_000));
    assert_eq!(in_steps(&[objects((50 << 10) + 1, "STANDARD", GB)]), (1_000, 1_177_622_000));
    assert_eq!(in_steps(&[objects(600 << 10, "STANDARD", GB)]), (665_600_000, 13_465_600_000));
    // Versions add up.
    let versions = [objects(300 << 10, "STANDARD", GB), noncurrent(300 << 10, "STANDARD", GB)];
    assert_eq!(in_steps(&versions), (665_600_000, 13_465_600_000));
    // Intelligent-Tiering's frequent tier has steps of its own: 600 GB at 0.001 less, and two times monitoring.
    let both =
        [objects(50 << 10, "STANDARD", GB), objects((50 << 10) + 600, "INTELLIGENT_TIERING_FREQUENT", GB)];
    assert_eq!(in_steps(&both), (600_000, 1_177_600_000 * 2 + 13_800_000 - 600_000 + 129_500));
    // Other classes have none.
    assert_eq!(in_steps(&[objects(600 << 10, "STANDARD_IA", GB)]).0, 0);
}

/// 50 TB of STANDARD, and 2¹⁷ archived objects that take 8 KiB of it each, 1 GB together: $0.001 less.
#[test]
fn what_archives_take_of_standard_counts_for_its_steps() {
    let all = [objects(50 << 10, "STANDARD", GB), objects(1 << 17, "GLACIER", 0)];
    assert_eq!(in_steps(&all).0, 1_000);
}

#[test]
fn the_largest_counts_fit() {
    for class in ["INTELLIGENT_TIERING_DEEP_ARCHIVE", "STANDARD_IA", "GLACIER"] {
        let (schema, _) = counted(Measures::all(), &[objects(1, class, 0)]);
        let bin = |size| Binning::new(&schema.measures, 0).current(&schema.classes, 0, size, 0);
        for size in [0, u64::MAX] {
            let cells = [Cell { bin: bin(size), objects: u64::MAX, bytes: if size == 0 { 0 } else { size } }];
            let table = PriceTable::parse(include_str!("dearest.json")).unwrap();
            let stats = Stats::new(&schema, &cells, Dates::NONE);
            let estimate = estimate(&stats, &table).unwrap();
            let sum = estimate.current[class].total();
            assert!(sum.micro_dollars().count() < 1 << 80 && sum > Cost::ZERO, "{sum:?}");
            assert_eq!(Rates::new(&table, &schema).unwrap().total(&cells), estimate.total);
        }
    }
}

#[test]
fn an_estimate_as_json() {
    let all = [objects(10_000, "STANDARD_IA", 4 * KIB), objects(1, "NEW", 9)];
    let (schema, cells) = counted(Measures::all().without(Measure::Noncurrent), &all);
    let table = PriceTable::default();
    let estimate = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
    assert_eq!(
        serde_json::to_string_pretty(&estimate).unwrap(),
        r#"{
  "region": "us-east-1",
  "date": "2025-10",
  "currency": "USD",
  "total": {
    "micro_dollars": 15259,
    "dollars": "0.015259"
  },
  "parts": {
    "total": {
      "micro_dollars": 15259,
      "dollars": "0.015259"
    },
    "storage": {
      "micro_dollars": 477,
      "dollars": "0.000477"
    },
    "minimum": {
      "micro_dollars": 14782,
      "dollars": "0.014782"
    },
    "monitoring": {
      "micro_dollars": 0,
      "dollars": "0.000000"
    },
    "overhead": {
      "micro_dollars": 0,
      "dollars": "0.000000"
    }
  },
  "noncurrent_total": null,
  "current": {
    "STANDARD_IA": {
      "total": {
        "micro_dollars": 15259,
        "dollars": "0.015259"
      },
      "storage": {
        "micro_dollars": 477,
        "dollars": "0.000477"
      },
      "minimum": {
        "micro_dollars": 14782,
        "dollars": "0.014782"
      },
      "monitoring": {
        "micro_dollars": 0,
        "dollars": "0.000000"
      },
      "overhead": {
        "micro_dollars": 0,
        "dollars": "0.000000"
      }
    }
  },
  "noncurrent": null,
  "volume_discount": null,
  "unpriced": {
    "NEW": {
      "objects": 1,
      "bytes": 9
    }
  },
  "left_out": [
    "requests",
    "retrieval",
    "early deletion",
    "unfinished uploads"
  ]
}"#
    );
}

const CLASSES: [&str; 8] = [
    "STANDARD",
    "STANDARD_IA",
    "GLACIER_IR",
    "GLACIER",
    "INTELLIGENT_TIERING_FREQUENT",
    "INTELLIGENT_TIERING_DEEP_ARCHIVE",
    "EXPRESS_ONEZONE",
    "QUANTUM_FOAM",
];

/// What an object costs by the rules as AWS words them, in nano-dollars · 1000 · 2³⁰.
fn by_the_rules(Objects { class, count, size, .. }: &Objects) -> u128 {
    let nano = match *class {
        "STANDARD" | "INTELLIGENT_TIERING_FREQUENT" => 23_000_000,
        "STANDARD_IA" => 12_500_000,
        "GLACIER_IR" => 4_000_000,
        "GLACIER" => 3_600_000,
        "INTELLIGENT_TIERING_DEEP_ARCHIVE" => 990_000,
        "EXPRESS_ONEZONE" => 110_000_000,
        _ => return 0,
    };
    let mut bytes = u128::from(*size) * nano;
    if matches!(*class, "STANDARD_IA" | "GLACIER_IR") && *size < 128 * KIB {
        bytes = u128::from(128 * KIB) * nano;
    }
    if matches!(*class, "GLACIER" | "INTELLIGENT_TIERING_DEEP_ARCHIVE") {
        bytes += 32_768 * nano + 8192 * 23_000_000;
    }
    let monitored = class.starts_with("INTELLIGENT_TIERING") && *size >= 128 * KIB;
    let monitoring = if monitored { 2_500_000 * u128::from(GB) } else { 0 };
    u128::from(*count) * (bytes * 1000 + monitoring)
}

fn any_objects() -> impl Strategy<Value = Vec<Objects>> {
    let size = prop_oneof![0..300 * KIB, 127 * KIB..129 * KIB, 0..10 * GB];
    let one = (0..CLASSES.len(), 1..5_000_000_u64, size, any::<bool>());
    let one =
        one.prop_map(|(class, count, size, current)| Objects { class: CLASSES[class], count, size, current });
    vec(one, 0..12)
}

fn any_measures() -> impl Strategy<Value = Measures> {
    let more = [Measure::Noncurrent, Measure::Age, Measure::Size];
    proptest::sample::subsequence(more.to_vec(), 0..=more.len())
        .prop_map(|more| more.into_iter().chain([Measure::Bytes, Measure::Classes, Measure::Cost]).collect())
}

proptest! {
    #[test]
    fn totals_are_those_of_each_object(mut all in any_objects(), measures in any_measures()) {
        if !measures.has(Measure::Noncurrent) {
            all.retain(|objects| objects.current);
        }
        let (schema, cells) = counted(measures, &all);
        let table = PriceTable::default();
        let estimate = estimate(&Stats::new(&schema, &cells, Dates::NONE), &table).unwrap();
        let rates = Rates::new(&table, &schema).unwrap();
        prop_assert_eq!(rates.total(&cells), estimate.total);
        prop_assert_eq!(estimate.parts.total(), estimate.total);
        let current: Cost = estimate.current.values().map(Parts::total).sum();
        prop_assert_eq!(current + estimate.noncurrent_total.unwrap_or_default(), estimate.total);
        let exact: u128 = all.iter().map(by_the_rules).sum();
        let micro = 1000 * 1000 * u128::from(GB);
        prop_assert_eq!(estimate.total.micro_dollars().count().cast_unsigned(), (exact + micro / 2) / micro);
    }

    #[test]
    fn totals_add_up(all in any_objects(), cut in 0..13_usize) {
        let (schema, cells) = counted(Measures::all(), &all);
        let rates = Rates::new(&PriceTable::default(), &schema).unwrap();
        let (some, rest) = cells.split_at(cut.min(cells.len()));
        prop_assert_eq!(rates.total(some) + rates.total(rest), rates.total(&cells));
        prop_assert_eq!(rates.total(&cells) - rates.total(rest), rates.total(some));
    }
}
