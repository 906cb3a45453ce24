//! Tables of rows: random ones, and such as are at the limits.

use s3inv_tests::{CURRENT, Column, DAY, Row, SNAPSHOT, VERSIONS, without};

/// Numbers that are the same in every run (an LCG with Knuth's constants).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

const PARTS: [&str; 20] = [
    "a",
    "b",
    "logs",
    "dt=2024-05-06",
    "",
    "",
    "with space",
    "100%",
    "%41",
    "1+1",
    "+",
    "caf\u{e9}",
    "\u{76ee}\u{5f55}",
    "q\"uote",
    "com,ma",
    "\u{1}\u{1f}",
    "new\nline",
    "tab\t",
    ".",
    "..",
];
const CLASSES: [(&str, &str); 10] = [
    ("STANDARD", ""),
    ("STANDARD", ""),
    ("STANDARD_IA", ""),
    ("GLACIER", ""),
    ("NOT-YET_KNOWN", ""),
    ("INTELLIGENT_TIERING", ""),
    ("INTELLIGENT_TIERING", "INFREQUENT"),
    ("INTELLIGENT_TIERING", "ARCHIVE_INSTANT_ACCESS"),
    ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS"),
    ("INTELLIGENT_TIERING", "DEEP_ARCHIVE"),
];
/// Where size bands begin, and the largest object that S3 took for long.
const SIZES: [u64; 10] = [0, 1, 1 << 10, 128 << 10, 1 << 20, 16 << 20, 128 << 20, 1 << 30, 5 << 30, 5 << 40];
/// Where ages begin, in days.
const AGES: [u64; 6] = [0, 30, 90, 180, 365, 730];

fn size(random: &mut Seeded) -> u64 {
    match random.below(3) {
        0 => random.of(&SIZES),
        1 => random.of(&SIZES).saturating_sub(1),
        _ => random.below(1 << 31) as u64 * random.of(&[0, 1, 1 << 10]),
    }
}

fn modified(random: &mut Seeded) -> u64 {
    let edge = SNAPSHOT - random.of(&AGES) * DAY;
    match random.below(6) {
        0 => edge,
        1 => edge - 1,
        2 => edge + 1,
        3 => SNAPSHOT + random.below(400 * DAY as usize) as u64,
        4 => random.below(1_420_000_000_000) as u64,
        _ => SNAPSHOT - random.below(1000) as u64 * DAY - random.below(DAY as usize) as u64,
    }
}

fn row(random: &mut Seeded) -> Row {
    let depth = random.below(6);
    let parts: Vec<&str> = (0..=depth).map(|_| random.of(&PARTS)).collect();
    let key = parts.join("/");
    // A key has at least a byte.
    let key = if key.is_empty() { "/".to_owned() } else { key };
    let (class, tier) = random.of(&CLASSES);
    let (size, modified) = (size(random), modified(random));
    let (latest, marker) = (random.below(4) > 0, random.below(9) == 0);
    Row { class, tier, latest, marker, modified, ..Row::new(key, size) }
}

/// All versions of random objects.
pub(crate) fn random_versions(seed: u64, rows: usize) -> Vec<Row> {
    let mut random = Seeded(seed);
    (0..rows).map(|_| row(&mut random)).collect()
}

/// Random objects.
pub(crate) fn random_objects(seed: u64, rows: usize) -> Vec<Row> {
    let rows = random_versions(seed, rows).into_iter();
    rows.map(|row| Row { latest: true, marker: false, ..row }).collect()
}

/// Keys at the limits, and beside each other what differs only by slashes.
fn odd_keys() -> Vec<Row> {
    let long = "k".repeat(1024);
    let deep = "d/".repeat(500);
    let slashes = "/".repeat(1024);
    let wide = format!("{}/x", "n".repeat(1021));
    let keys = [
        "/",
        "//",
        "///",
        "/a",
        "//a",
        "a",
        "a/",
        "a//",
        "a//b",
        "a/b",
        "a/b/",
        "a/b//c",
        "a b/c",
        "a+b/c",
        "a%20b/c",
        "a%2Fb/c",
        "%/%",
        "\u{0}/\u{0}",
        "a\u{7f}/b",
        "\r\n/x",
        ".hidden/x",
        "../x",
        "a/./b",
        "a/../b",
        "\u{feff}/x",
        "z",
        &long,
        &deep,
        &slashes,
        &wide,
    ];
    keys.iter().enumerate().map(|(nth, key)| Row::new(*key, nth as u64)).collect()
}

fn not_utf8() -> Vec<Row> {
    let keys: [&[u8]; 5] = [b"\xff/a", b"\xfe\xff/\x80/b", b"ok/c", b"\xc3/\xa9", b"\xff/"];
    keys.iter().map(|key| Row::new(*key, 1)).collect()
}

/// Rows, and the columns that tell them.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<Row>,
    pub(crate) columns: Vec<Column>,
}

/// Tables of several shapes.
pub(crate) fn tables() -> Vec<Table> {
    let table = |name, rows, columns: &[Column]| Table { name, rows, columns: columns.to_vec() };
    let lacking = |columns, column: &[Column]| {
        column.iter().fold(Vec::from(columns), |columns, column| without(&columns, *column))
    };
    let odd_order = [
        Column::New,
        Column::LastModifiedDate,
        Column::IsDeleteMarker,
        Column::Tier,
        Column::Key,
        Column::IsLatest,
        Column::StorageClass,
        Column::Bucket,
        Column::Size,
    ];
    vec![
        table("versions", random_versions(1, 900), VERSIONS),
        table("other versions", random_versions(2, 900), &odd_order),
        table("objects", random_objects(3, 500), CURRENT),
        table("odd keys", odd_keys(), VERSIONS),
        table("not UTF-8", not_utf8(), CURRENT),
        table("no Size", random_versions(4, 200), &lacking(VERSIONS, &[Column::Size])),
        table("no StorageClass", random_versions(5, 200), &lacking(VERSIONS, &[Column::StorageClass])),
        table("no tiers", random_versions(6, 200), &lacking(VERSIONS, &[Column::Tier])),
        table("no dates", random_versions(7, 200), &lacking(VERSIONS, &[Column::LastModifiedDate])),
        table("dates alone", random_objects(8, 200), &[Column::Key, Column::LastModifiedDate]),
        table("keys alone", random_objects(9, 200), &[Column::Bucket, Column::Key]),
    ]
}
