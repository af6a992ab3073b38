//! NaN is greater than every number, wherever it stands and whoever wrote the file. What SQL answers is compared with
//! what the rows say, not with another answer over the same files.

use std::cmp::Ordering;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Float16Type, Float64Type};
use proptest::prelude::*;

use super::*;
use crate::format::ChunkHash;
use crate::table::{InlineBatch, Tail};

/// A column of the table below as an expression, and the type that its values have.
const COLUMNS: &[(&str, &str)] =
    &[("d", "DOUBLE"), ("f", "FLOAT"), ("h", "FLOAT"), ("st.y", "DOUBLE"), ("l[1]", "DOUBLE"), ("m['k']", "DOUBLE")];

/// How the rows are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Chunks,
    Inlined,
    ChunksAndInlined,
    /// As other writers write, and list, them.
    Foreign,
    /// Chunks of ours, from before their statistics took care of NaN.
    Old,
}

fn rows(values: &[Option<f64>]) -> RecordBatch {
    let doubles = || Float64Array::from_iter(values.iter().copied());
    let half = |value: &Option<f64>| value.map(<Float16Type as ArrowPrimitiveType>::Native::from_f64);
    let member: ArrayRef = Arc::new(doubles());
    let structure = StructArray::from(vec![(Arc::new(Field::new("y", DataType::Float64, true)), member)]);
    let list = ListArray::from_iter_primitive::<Float64Type, _, _>(values.iter().map(|value| Some([*value])));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    for value in values {
        map.keys().append_value("k");
        map.values().append_option(*value);
        map.append(true).unwrap();
    }
    batch(vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..values.len() as i64))),
        ("d", Arc::new(doubles())),
        ("f", Arc::new(Float32Array::from_iter(values.iter().map(|value| value.map(|value| value as f32))))),
        ("h", Arc::new(Float16Array::from_iter(values.iter().map(half)))),
        ("st", Arc::new(structure)),
        ("l", Arc::new(list)),
        ("m", Arc::new(map.finish())),
    ])
}

/// The rows as the table `t`, `cut` of them in each chunk.
fn world(values: &[Option<f64>], cut: usize, form: Form) -> World {
    let mut world = World::new();
    let all = rows(values);
    let parts: Vec<_> =
        (0..all.num_rows()).step_by(cut).map(|at| all.slice(at, cut.min(all.num_rows() - at))).collect();
    let data = match form {
        Form::Chunks => world.data(&parts, 0),
        Form::Inlined => world.data(&[all], 64 << 10),
        Form::ChunksAndInlined => {
            let (first, last) = parts.split_at(parts.len() - 1);
            let tail = world.data(last, 64 << 10);
            match first {
                [] => tail,
                first => {
                    TableData { manifest: world.data(first, 0).manifest, tail: behind(&tail, first.len()), ..tail }
                }
            }
        }
        Form::Foreign => {
            let chunks: Vec<_> = parts.iter().map(|part| chunk(&world, part, "somebody")).collect();
            world.store.from_listed(&chunks).unwrap()
        }
        Form::Old => {
            let mut data = world.data(&parts, 0);
            for (entry, part) in Arc::make_mut(&mut data.manifest).chunks.iter_mut().zip(&parts) {
                entry.chunk = chunk(&world, part, "armillaria version 1");
                entry.bytes = world.store.chunks().get(entry.chunk).unwrap().len() as u64;
            }
            data
        }
    };
    world.put("t", Arc::new(data));
    world
}

/// Inlined batches that stand behind so many chunks.
fn behind(data: &TableData, chunks: usize) -> Tail {
    let moved = |batch: &InlineBatch| InlineBatch { after: chunks as u64, ..batch.clone() };
    data.tail.to_vec().into_iter().map(moved).collect()
}

/// A file with the statistics that Parquet asks for: NaN left out.
fn chunk(world: &World, rows: &RecordBatch, created_by: &str) -> ChunkHash {
    let mut bytes = Vec::new();
    let properties = parquet::file::properties::WriterProperties::builder().set_created_by(created_by.to_owned());
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties.build())).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    world.store.chunks().put(&bytes).unwrap().hash
}

/// DuckDB's order of floating point numbers: NaN equals itself and is above all others.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn fulfils(value: f64, comparison: &str, constant: f64) -> bool {
    let order = order(value, constant);
    match comparison {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        other => panic!("{other}"),
    }
}

/// The numbers of the rows that a comparison with `column` leaves, and those that its opposite does.
fn check_filters(world: &World, values: &[Option<f64>], constant: f64) {
    for (column, kind) in COLUMNS {
        for comparison in ["=", "<>", "<", "<=", ">", ">="] {
            for (not, expected) in [("", true), ("NOT ", false)] {
                let filter = format!("{not}({column} {comparison} '{constant}'::{kind})");
                let sql = format!("SELECT n FROM t WHERE {filter} ORDER BY n");
                let right = |value: &Option<f64>| value.map(|value| fulfils(value, comparison, constant));
                let numbers = (0..values.len()).filter(|n| right(&values[*n]) == Some(expected));
                let numbers: Vec<String> = numbers.map(|n| n.to_string()).collect();
                assert_eq!(world.rows(&sql), numbers, "{filter}");
            }
        }
    }
}

fn check_bounds(world: &World, values: &[Option<f64>]) {
    let mut known: Vec<f64> = values.iter().flatten().copied().collect();
    known.sort_by(|a, b| order(*a, *b));
    for (column, kind) in COLUMNS {
        for (bound, expected) in [("min", known.first()), ("max", known.last())] {
            let sql = match expected {
                Some(value) => format!("SELECT {bound}({column}) = '{value}'::{kind} FROM t"),
                None => format!("SELECT {bound}({column}) IS NULL FROM t"),
            };
            assert_eq!(world.rows(&sql), ["true"], "{sql}");
        }
    }
}

#[test]
fn a_nan_is_found_and_is_the_greatest() {
    let values = [Some(1.0), Some(f64::NAN), None];
    for (form, cut) in [(Form::Chunks, 3), (Form::Chunks, 1), (Form::Inlined, 3), (Form::Foreign, 3), (Form::Old, 3)] {
        let world = world(&values, cut, form);
        for (column, kind) in COLUMNS {
            let context = format!("{form:?} {column}");
            let ask = |select: &str| world.rows(select);
            assert_eq!(ask(&format!("SELECT n FROM t WHERE {column} > 1")), ["1"], "{context}");
            assert_eq!(ask(&format!("SELECT n FROM t WHERE {column} = 'nan'::{kind}")), ["1"], "{context}");
            assert_eq!(ask(&format!("SELECT n FROM t WHERE {column} BETWEEN 1 AND 2")), ["0"], "{context}");
            assert_eq!(ask(&format!("SELECT max({column})::VARCHAR, count({column}) FROM t")), ["nan|2"], "{context}");
        }
    }
}

/// Where there is no NaN, DuckDB answers from statistics what it would have to read otherwise.
#[test]
fn statistics_are_dropped_only_where_there_is_a_nan() {
    let doubles = |values: Vec<f64>| batch(vec![("d", Arc::new(Float64Array::from(values)) as ArrayRef)]);
    let reads = |values: Vec<f64>| {
        let mut world = World::new();
        world.write("t", &[doubles(values)]);
        // What DuckDB knows of the files it keeps from the first statement on.
        world.rows("SELECT sum(d) FROM t");
        world.rows("EXPLAIN SELECT max(d) FROM t").concat().contains("READ_PARQUET")
    };
    assert!(!reads(vec![1.0, -0.0]));
    assert!(reads(vec![1.0, f64::NAN]));
}

fn values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let special = prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    let value = prop_oneof![Just(None), (-2i32..3).prop_map(|v| Some(f64::from(v) / 2.0)), special.prop_map(Some)];
    prop::collection::vec(value, 1..10)
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![Form::Chunks, Form::Inlined, Form::ChunksAndInlined, Form::Foreign, Form::Old])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_answered_is_what_the_rows_say(
        values in values(),
        cut in 1usize..6,
        form in form(),
        constant in prop::sample::select(vec![-1.0, 0.0, 0.5, 1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ) {
        let world = world(&values, cut, form);
        check_filters(&world, &values, constant);
        check_bounds(&world, &values);
    }
}
