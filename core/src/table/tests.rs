//! Whole versions through a table store in memory.

use std::sync::Arc;

use arrow::array::types::{Int32Type, Int64Type};
use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, Int64Array, LargeStringArray, RecordBatch,
    RecordBatchIterator, StringArray, StringViewArray, StructArray, UnionArray,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, UnionFields};
use arrow::error::ArrowError;

use super::*;
use crate::cancel::CancelToken;
use crate::chunk_store::ChunkStore;
use crate::error::{Code, Error, Result};
use crate::format::{ChunkEntry, Manifest, ManifestSource, TableName, Version};
use crate::limits::{INLINE_BATCH_BYTES_MAX, TAIL_BATCHES_MAX};
use crate::store::{MemoryStore, SeededRandomness, Store};

pub(super) struct Fixture {
    pub(super) memory: Arc<MemoryStore>,
    pub(super) tables: TableStore,
}

impl Fixture {
    pub(super) fn new() -> Fixture {
        Fixture::with_threads(2)
    }

    pub(super) fn with_threads(threads: usize) -> Fixture {
        let memory = Arc::new(MemoryStore::new());
        let chunks = ChunkStore::new(memory.clone(), "chunks");
        let tables = TableStore::new(chunks, memory.clone(), TableOptions { threads });
        Fixture { memory, tables }
    }

    /// Overwrites with nothing inlined.
    pub(super) fn overwrite(&self, parent: Option<&TableData>, batches: &[RecordBatch]) -> Result<Overwritten> {
        self.tables.overwrite(&name(), parent, stream(batches), &[], 0, &CancelToken::new())
    }

    fn append(&self, parent: &TableData, batches: &[RecordBatch], budget: usize) -> Result<Appended> {
        let appended = self.tables.append(&name(), parent, stream(batches), budget, &CancelToken::new())?;
        Ok(Appended { fold: self.tables.fold_due(parent, &CancelToken::new())?, ..appended })
    }

    pub(super) fn read(&self, data: &TableData) -> RecordBatch {
        collect(self.tables.read(data, None, &CancelToken::new()).unwrap())
    }
}

pub(super) fn name() -> TableName {
    TableName::new("t").unwrap()
}

pub(super) fn stream(batches: &[RecordBatch]) -> RowStream {
    let schema = batches[0].schema();
    Box::new(RecordBatchIterator::new(batches.iter().cloned().map(Ok).collect::<Vec<_>>().into_iter(), schema))
}

pub(super) fn collect(stream: RowStream) -> RecordBatch {
    let schema = stream.schema();
    let batches: Vec<RecordBatch> = stream.map(|batch| batch.unwrap()).collect();
    concat_batches(&schema, &batches).unwrap()
}

/// Numbered rows of about a hundred bytes.
fn rows(numbers: impl Iterator<Item = i64>) -> RecordBatch {
    let numbers: Vec<i64> = numbers.collect();
    let texts = numbers.iter().map(|number| format!("{:064x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)));
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("text", DataType::Utf8, true),
        Field::new("value", DataType::Float64, true),
    ]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(numbers.clone())),
        Arc::new(StringArray::from_iter_values(texts)),
        Arc::new(Float64Array::from_iter(numbers.iter().map(|n| (n % 7 != 0).then_some(*n as f64 / 3.0)))),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn cut(batch: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(rows);
    starts.map(|start| batch.slice(start, rows.min(batch.num_rows() - start))).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}

/// Enough rows for a few chunks.
const MANY: i64 = 600_000;

#[test]
fn equal_rows_in_other_batches_give_equal_chunks() {
    let all = rows(0..MANY);
    let fixture = Fixture::new();
    let whole = fixture.overwrite(None, std::slice::from_ref(&all)).unwrap();
    assert!(whole.manifest.chunks.len() > 2, "{} chunks", whole.manifest.chunks.len());
    for size in [999, 16_384, 100_001] {
        let other = Fixture::with_threads(1).overwrite(None, &cut(&all, size)).unwrap();
        assert_eq!(other.manifest, whole.manifest, "batches of {size}");
    }
    assert_eq!(fixture.read(&whole.to_data(None)), all);
}

#[test]
fn an_unchanged_table_costs_nothing_and_an_edit_little() {
    let fixture = Fixture::new();
    let all = rows(0..MANY);
    let first = fixture.overwrite(None, std::slice::from_ref(&all)).unwrap();
    let (data, chunks) = (first.to_data(None), first.manifest.chunks.len() as u64);
    let again = fixture.overwrite(Some(&data), &cut(&all, 5000)).unwrap();
    assert_eq!((again.statistics.chunks_written, again.statistics.chunks_reused), (0, chunks));
    assert!(Arc::ptr_eq(&again.manifest, &data.manifest) && Arc::ptr_eq(&again.schema, &data.schema));

    let edits: [(&str, Vec<RecordBatch>); 4] = [
        ("edited in one place", vec![all.slice(0, 300_000), rows(-500..0), all.slice(300_500, 299_500)]),
        ("inserted at the front", vec![rows(-1000..0), all.clone()]),
        ("inserted in the middle", vec![all.slice(0, 250_000), rows(-10..0), all.slice(250_000, 350_000)]),
        ("removed", vec![all.slice(0, 400_000), all.slice(400_100, 199_900)]),
    ];
    for (what, batches) in edits {
        let written = fixture.overwrite(Some(&data), &batches).unwrap();
        assert!(written.statistics.chunks_written <= 2, "{what}: {:?}", written.statistics);
        assert!(written.statistics.chunks_reused + 2 >= chunks, "{what}: {:?}", written.statistics);
        assert_eq!(fixture.read(&written.to_data(None)), concat_batches(&all.schema(), &batches).unwrap(), "{what}");
    }
}

#[test]
fn a_table_that_repeats_itself_is_written_again_for_nothing() {
    let fixture = Fixture::new();
    let same = rows(std::iter::repeat_n(7, MANY as usize));
    let few = rows((0..MANY).map(|number| number.wrapping_mul(0x5851_f42d) % 13));
    for all in [same, few] {
        let first = fixture.overwrite(None, std::slice::from_ref(&all)).unwrap();
        assert!(first.manifest.chunks.len() > 2);
        let again = fixture.overwrite(Some(&first.to_data(None)), &cut(&all, 7777)).unwrap();
        assert_eq!(again.manifest, first.manifest);
    }
}

#[test]
fn few_rows_are_inlined_and_fold_into_chunks() {
    let fixture = Fixture::new();
    let create = fixture.tables.create(&rows(0..1).schema(), &["id".to_string()]).unwrap();
    let mut data = TableData::empty(create);
    let mut version = Version(1);
    let mut folds = 0;
    for round in 0..3 * TAIL_BATCHES_MAX as i64 + 8 {
        let batches = [rows(round * 10..round * 10 + 4), rows(round * 10 + 4..round * 10 + 10)];
        let appended = fixture.append(&data, &batches, INLINE_BATCH_BYTES_MAX).unwrap();
        assert!(appended.chunks.is_empty());
        assert_eq!((appended.rows, appended.inline.as_ref().unwrap().rows), (10, 10));
        if let Some(fold) = &appended.fold {
            data = data.with_fold(fold).unwrap();
            folds += 1;
        }
        version = version.next();
        data = data.with_appended(&appended, Some(version));
        assert!(data.tail.len() <= TAIL_BATCHES_MAX);
    }
    assert!(folds >= 3);
    let all = rows(0..30 * TAIL_BATCHES_MAX as i64 + 80);
    assert_eq!(data.rows(), all.num_rows() as u64);
    assert_eq!(fixture.read(&data), all);
    let columns = ["value".to_string(), "id".to_string()];
    let some = fixture.tables.read(&data, Some(&columns), &CancelToken::new()).unwrap();
    assert_eq!(collect(some), all.project(&[2, 0]).unwrap());
    let tail = fixture.tables.encode_tail(&data).unwrap().unwrap();
    let tail = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(tail, 10_000).unwrap();
    assert_eq!(tail.map(|batch| batch.unwrap().num_rows() as u64).sum::<u64>(), data.tail_rows());
    let compacted = data.with_folds(&fixture.tables.compact(&data, &CancelToken::new()).unwrap()).unwrap();
    assert_eq!((compacted.tail.len(), compacted.manifest.chunks.len()), (0, 1));
    assert_eq!(fixture.tables.compact(&compacted, &CancelToken::new()).unwrap(), []);
    assert_eq!(fixture.read(&compacted), all);
}

#[test]
fn folds_commute_with_appends_and_give_way_to_other_folds() {
    let fixture = Fixture::new();
    let first = fixture.overwrite(None, &[rows(0..100)]).unwrap().to_data(None);
    let small = fixture.append(&first, &[rows(100..110)], INLINE_BATCH_BYTES_MAX).unwrap();
    let tailed = first.with_appended(&small, Some(Version(2)));
    let fold = fixture.tables.compact(&tailed, &CancelToken::new()).unwrap().remove(0);
    let large = fixture.append(&tailed, &[rows(110..5000)], 0).unwrap();
    let later = fixture.append(&tailed, &[rows(5000..5001)], INLINE_BATCH_BYTES_MAX).unwrap();
    let moved = tailed.with_appended(&large, Some(Version(3))).with_appended(&later, Some(Version(4)));
    let folded = moved.with_fold(&fold).unwrap();
    assert_eq!(fixture.read(&folded), rows(0..5001));
    assert_eq!(fixture.read(&moved), rows(0..5001));
    assert_eq!((folded.tail.len(), folded.tail.to_vec()[0].after), (1, 2));
    assert_eq!(folded.with_fold(&fold), None, "the same fold twice");
    let other = fixture.overwrite(None, &[rows(0..3)]).unwrap().to_data(None);
    assert_eq!(other.with_fold(&fold), None, "a fold on another content");
}

#[test]
fn many_small_chunks_are_folded_too() {
    let fixture = Fixture::with_threads(1);
    let mut data = fixture.overwrite(None, &[rows(0..50)]).unwrap().to_data(None);
    for round in 1..80 {
        let appended = fixture.append(&data, &[rows(round * 50..round * 50 + 50)], 0).unwrap();
        if let Some(fold) = &appended.fold {
            data = data.with_fold(fold).unwrap();
        }
        data = data.with_appended(&appended, None);
    }
    assert!(data.manifest.chunks.len() < 40);
    assert_eq!(fixture.read(&data), rows(0..4000));
}

#[test]
fn full_chunks_are_left_alone_however_well_they_compress() {
    let fixture = Fixture::with_threads(1);
    let same = rows(std::iter::repeat_n(7, 200_000));
    let written = fixture.overwrite(None, &[same]).unwrap().to_data(None);
    let full = written.manifest.chunks[0].clone();
    assert!(full.bytes < 1 << 20 && (10 << 20..=16 << 20).contains(&full.row_bytes), "{full:?}");
    let of_chunks = |entry: &ChunkEntry| {
        let manifest = Arc::new(Manifest { chunks: vec![entry.clone(); 40] });
        TableData { manifest, ..written.clone() }
    };
    let mut data = of_chunks(&full);
    assert_eq!(fixture.tables.compact(&data, &CancelToken::new()).unwrap(), []);
    for version in 2.. {
        let appended = fixture.append(&data, &[rows(0..10)], INLINE_BATCH_BYTES_MAX).unwrap();
        if let Some(fold) = appended.fold {
            assert_eq!((fold.place, fold.batches.len()), (40..40, TAIL_BATCHES_MAX));
            break;
        }
        assert!(data.tail.len() < TAIL_BATCHES_MAX, "the tail is folded");
        data = data.with_appended(&appended, Some(Version(version)));
    }
    // Where the weight of the rows is not known, as in manifests of other writers, the size of the file has to do.
    let unknown = of_chunks(&ChunkEntry { row_bytes: 0, ..full });
    assert!(fixture.append(&unknown, &[rows(0..10)], INLINE_BATCH_BYTES_MAX).unwrap().fold.is_some());
}

/// Rows of which nothing can be saved, so that a few thousand make a chunk that is not small.
fn bulky(numbers: std::ops::Range<i64>) -> RecordBatch {
    let dice = SeededRandomness::new(numbers.start.unsigned_abs());
    let text = || (0..1000).map(|_| char::from(b'0' + dice.below(75) as u8)).collect::<String>();
    let rows = rows(numbers);
    let texts = StringArray::from_iter_values((0..rows.num_rows()).map(|_| text()));
    let columns = vec![rows.column(0).clone(), Arc::new(texts) as ArrayRef, rows.column(2).clone()];
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

/// Small pieces in three places, with large chunks between them: chunks, batches, and both.
fn with_small_pieces_in_three_places(fixture: &Fixture) -> TableData {
    let mut data = fixture.overwrite(None, &[rows(0..50)]).unwrap().to_data(None);
    let mut add = |batch: RecordBatch, budget: usize, version: Version| {
        let appended = fixture.append(&data, &[batch], budget).unwrap();
        data = data.with_appended(&appended, Some(version));
    };
    let large = |number: i64| bulky(number..number + 3000);
    let parts = [
        (rows(50..100), 0),
        (large(100), 0),
        (rows(3100..3110), INLINE_BATCH_BYTES_MAX),
        (rows(3110..3120), INLINE_BATCH_BYTES_MAX),
        (large(3120), 0),
        (rows(6120..6130), INLINE_BATCH_BYTES_MAX),
        (rows(6130..6200), 0),
        (rows(6200..6300), 0),
        (large(6300), 0),
        (rows(9300..9400), 0),
    ];
    for (version, (batch, budget)) in (2..).zip(parts) {
        add(batch, budget, Version(version));
    }
    data
}

#[test]
fn a_compaction_brings_small_pieces_together_wherever_they_stand() {
    for threads in [1, 2] {
        let fixture = Fixture::with_threads(threads);
        let data = with_small_pieces_in_three_places(&fixture);
        assert_eq!((data.manifest.chunks.len(), data.tail.len()), (8, 3));
        let before = fixture.read(&data);
        let folds = fixture.tables.compact(&data, &CancelToken::new()).unwrap();
        let places: Vec<_> = folds.iter().map(|fold| (fold.place.clone(), fold.batches.clone())).collect();
        let batches = |versions: &[u64]| versions.iter().copied().map(Version).collect::<Vec<_>>();
        assert_eq!(places, [(0..2, batches(&[])), (3..3, batches(&[4, 5])), (4..6, batches(&[7]))]);
        let compacted = data.with_folds(&folds).unwrap();
        // One for each of the three places, the large ones as they were, and the small one at the end, which stands alone.
        assert_eq!((compacted.manifest.chunks.len(), compacted.tail.len()), (7, 0));
        assert_eq!(compacted.manifest.chunks[1], data.manifest.chunks[2]);
        assert_eq!(fixture.read(&compacted), before);
        assert_eq!(fixture.tables.compact(&compacted, &CancelToken::new()).unwrap(), []);
        assert_eq!(compacted.with_folds(&folds), None, "the same folds twice");
    }
}

#[test]
fn of_several_folds_those_are_laid_on_that_still_fit() {
    let fixture = Fixture::new();
    let data = with_small_pieces_in_three_places(&fixture);
    let folds = fixture.tables.compact(&data, &CancelToken::new()).unwrap();
    let appended = fixture.append(&data, &[rows(9400..9410)], INLINE_BATCH_BYTES_MAX).unwrap();
    let later = data.with_fold(&folds[1]).unwrap().with_appended(&appended, Some(Version(20)));
    let folded = later.with_folds(&folds).unwrap();
    assert_eq!((folded.manifest.chunks.len(), folded.tail.len()), (7, 1));
    assert_eq!(fixture.read(&folded), fixture.read(&later));
}

/// Chunks are cut by the rows in them: files that compress well stay small however often they are written again.
#[test]
fn a_compaction_leaves_full_chunks_alone_whose_files_are_small() {
    let fixture = Fixture::new();
    let same = rows((0..MANY).map(|_| 5));
    let data = fixture.overwrite(None, &[same]).unwrap().to_data(None);
    assert!(data.manifest.chunks.len() > 2 && data.manifest.chunks.iter().all(|chunk| chunk.bytes < 1 << 20));
    let files = fixture.memory.names("chunks").unwrap();
    assert_eq!(fixture.tables.compact(&data, &CancelToken::new()).unwrap(), []);
    assert_eq!(fixture.memory.names("chunks").unwrap(), files, "the same rows make the same chunks");
}

#[test]
fn an_empty_table_has_columns_and_no_chunk() {
    let fixture = Fixture::new();
    let empty = fixture.overwrite(None, &[rows(0..0)]).unwrap();
    assert_eq!((empty.manifest.chunks.len(), empty.inline.is_some(), empty.rows), (0, false, 0));
    let read = fixture.read(&empty.to_data(None));
    assert_eq!((read.num_rows(), read.schema()), (0, rows(0..0).schema()));
    assert!(fixture.tables.encode_tail(&empty.to_data(None)).unwrap().is_none());
}

#[test]
fn schemas_are_checked() {
    let tables = Fixture::new().tables;
    assert_eq!(code(tables.create(&Schema::empty(), &[])), Code::InvalidArgument);
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let twice = Schema::new(vec![field("a", DataType::Int8), field("a", DataType::Int8)]);
    assert_eq!(code(tables.create(&twice, &[])), Code::InvalidArgument);
    assert_eq!(code(tables.create(&rows(0..1).schema(), &["nope".into()])), Code::InvalidArgument);
    let union = UnionFields::from_fields(vec![field("i", DataType::Int32)]);
    let types = [
        DataType::Union(union, arrow::datatypes::UnionMode::Sparse),
        DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano),
        DataType::Struct(arrow::datatypes::Fields::empty()),
        DataType::FixedSizeBinary(0),
        DataType::Decimal128(5, -2),
    ];
    for data_type in types {
        let nested = DataType::List(Arc::new(field("item", data_type.clone())));
        for data_type in [data_type, nested] {
            let error = tables.create(&Schema::new(vec![field("odd", data_type)]), &[]).unwrap_err();
            assert_eq!(error.code(), Code::Unsupported);
            assert!(error.to_string().contains("odd"), "{error}");
        }
    }
    let mut deep = DataType::Int8;
    for _ in 0..23 {
        deep = DataType::List(Arc::new(field("item", deep)));
    }
    let stored = tables.create(&Schema::new(vec![field("deep", deep.clone())]), &[]).unwrap();
    assert_eq!(stored.to_arrow().unwrap().field(0).data_type(), &deep);
    let deeper = DataType::List(Arc::new(field("item", deep)));
    assert_eq!(code(tables.create(&Schema::new(vec![field("deep", deeper)]), &[])), Code::Unsupported);
}

#[test]
fn column_ids_last() {
    let tables = Fixture::new();
    let first = tables.overwrite(None, &[rows(0..3)]).unwrap();
    assert_eq!(first.schema.next_column_id, 4);
    let fewer = tables.overwrite(Some(&first.to_data(None)), &[rows(0..3).project(&[2, 0]).unwrap()]).unwrap();
    assert_eq!(fewer.schema.next_column_id, 4);
    let more = tables.overwrite(Some(&fewer.to_data(None)), &[rows(0..3)]).unwrap();
    let ids: Vec<_> =
        more.schema.to_arrow_with_ids().unwrap().fields().iter().map(|f| crate::format::schema::column_id(f)).collect();
    assert_eq!(ids, [Some(1), Some(4), Some(3)], "an id is never used again");
}

#[test]
fn an_append_takes_other_forms_of_the_same_values() {
    let fixture = Fixture::new();
    let data = fixture.overwrite(None, &[rows(0..2)]).unwrap().to_data(None);
    let expected = RecordBatch::try_new(
        rows(0..0).schema(),
        vec![
            Arc::new(Int64Array::from(vec![5, 6])),
            Arc::new(StringArray::from(vec!["x", "y"])),
            Arc::new(Float64Array::new_null(2)),
        ],
    )
    .unwrap();
    let dictionary: DictionaryArray<Int32Type> = vec!["x", "y"].into_iter().collect();
    let forms: [ArrayRef; 4] = [
        Arc::new(StringViewArray::from(vec!["x", "y"])),
        Arc::new(LargeStringArray::from(vec!["x", "y"])),
        Arc::new(dictionary.clone()),
        arrow::compute::cast(
            &dictionary,
            &DataType::RunEndEncoded(
                Arc::new(Field::new("run_ends", DataType::Int32, false)),
                Arc::new(Field::new("values", DataType::Utf8, true)),
            ),
        )
        .unwrap(),
    ];
    for text in forms {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![5, 6]));
        let batch = RecordBatch::try_from_iter([("text", text), ("id", ids)]).unwrap();
        let appended = fixture.append(&data, &[batch], 0).unwrap();
        let read = fixture.read(&data.with_appended(&appended, None));
        assert_eq!(read.slice(2, 2), expected);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing() {
    let fixture = Fixture::new();
    let data = fixture.overwrite(None, &[rows(0..2)]).unwrap().to_data(None);
    let before = fixture.memory.list("").unwrap().len();
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let batch = |columns: Vec<(&str, ArrayRef)>| {
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
    };
    let wrong = [
        batch(vec![("id", ids.clone()), ("extra", ids.clone())]),
        batch(vec![("id", Arc::new(Int32Array::from(vec![1])))]),
        batch(vec![("text", Arc::new(StringArray::from(vec!["no id"])))]),
        batch(vec![("id", Arc::new(Int64Array::from(vec![None])))]),
    ];
    for batch in wrong {
        let error = fixture.append(&data, &[batch], 0).unwrap_err();
        assert_eq!(error.code(), Code::SchemaMismatch);
        assert!(error.to_string().contains("table=\"t\""), "{error}");
    }
    let odd: Vec<std::result::Result<RecordBatch, ArrowError>> = vec![Ok(rows(0..5)), Ok(batch(vec![("id", ids)]))];
    let odd = RecordBatchIterator::new(odd, rows(0..0).schema());
    let odd = fixture.tables.append(&name(), &data, Box::new(odd), 0, &CancelToken::new());
    assert_eq!(code(odd), Code::SchemaMismatch);
    assert_eq!(fixture.memory.list("").unwrap().len(), before);
}

#[test]
fn a_stream_that_fails_midway_fails_the_write() {
    for threads in [1, 2] {
        let fixture = Fixture::with_threads(threads);
        let own = error_to_arrow(Error::Closed { what: "cursor" });
        for (error, expected) in [(own, Code::Closed), (ArrowError::CsvError("line 7".into()), Code::InvalidArgument)] {
            let batches = cut(&rows(0..MANY), 10_000).into_iter().map(Ok).chain([Err(error)]);
            let stream = RecordBatchIterator::new(batches.collect::<Vec<_>>(), rows(0..0).schema());
            let written = fixture.tables.overwrite(&name(), None, Box::new(stream), &[], 0, &CancelToken::new());
            assert_eq!(code(written), expected);
        }
    }
}

#[test]
fn cancelled_work_stops() {
    let fixture = Fixture::new();
    let cancel = CancelToken::new();
    let data = fixture.overwrite(None, &[rows(0..MANY)]).unwrap().to_data(None);
    let mut reader = fixture.tables.read(&data, None, &cancel).unwrap();
    assert!(reader.next().unwrap().is_ok());
    cancel.cancel();
    assert_eq!(error_from_arrow(reader.next().unwrap().unwrap_err()).code(), Code::Cancelled);
    assert!(reader.next().is_none());
    let written = fixture.tables.overwrite(&name(), None, stream(&[rows(0..5)]), &[], 0, &cancel);
    assert_eq!(code(written), Code::Cancelled);
}

#[test]
fn rows_that_wait_for_their_chunk_are_cancelled_too() {
    for threads in [1, 3] {
        let (fixture, cancel) = (Fixture::with_threads(threads), CancelToken::new());
        let at_the_end = cancel.clone();
        let end = std::iter::from_fn(move || {
            at_the_end.cancel();
            None
        });
        let batches = cut(&rows(0..MANY), 10_000).into_iter().map(Ok).chain(end);
        let stream = RecordBatchIterator::new(batches, rows(0..0).schema());
        let written = fixture.tables.overwrite(&name(), None, Box::new(stream), &[], 0, &cancel);
        assert_eq!(code(written), Code::Cancelled, "{threads} threads");
    }
}

#[test]
fn unknown_columns_are_named() {
    let fixture = Fixture::new();
    let data = fixture.overwrite(None, &[rows(0..5)]).unwrap().to_data(None);
    for columns in [vec!["nope"], vec!["id", "id"], vec![]] {
        let columns: Vec<String> = columns.into_iter().map(String::from).collect();
        let error = fixture.tables.read(&data, Some(&columns), &CancelToken::new()).err().unwrap();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(columns == ["id", "id"] || error.to_string().contains("value"), "{error}");
    }
}

#[test]
fn a_damaged_or_missing_chunk_is_named() {
    let fixture = Fixture::new();
    let data = fixture.overwrite(None, &[rows(0..MANY)]).unwrap().to_data(None);
    let chunk = data.manifest.chunks[1].chunk;
    let path = fixture.tables.chunks().path(chunk);
    let mut bytes = fixture.memory.get(&path).unwrap().unwrap().to_vec();
    let last = |fixture: &Fixture| {
        fixture
            .tables
            .read(&data, None, &CancelToken::new())
            .unwrap()
            .find_map(|batch| batch.err())
            .map(error_from_arrow)
    };
    fixture.memory.delete(&path).unwrap();
    assert_eq!(last(&fixture).unwrap().code(), Code::ChunkNotFound);
    bytes[1000] ^= 1;
    fixture.memory.create(&path, &bytes).unwrap();
    let error = last(&fixture).unwrap();
    assert_eq!(error.code(), Code::HashMismatch);
    assert!(error.to_string().contains(&chunk.to_hex()), "{error}");
}

#[test]
fn a_damaged_inlined_batch_is_an_error_and_never_a_panic() {
    let fixture = Fixture::new();
    let written = fixture
        .tables
        .overwrite(&name(), None, stream(&[rows(0..20)]), &[], INLINE_BATCH_BYTES_MAX, &CancelToken::new())
        .unwrap();
    let data = written.to_data(Some(Version(1)));
    assert_eq!(fixture.read(&data), rows(0..20));
    let first = data.tail.to_vec()[0].clone();
    let good = first.bytes.to_vec();
    for cut in [0, 3, 4, 100, good.len() - 1] {
        let mut bad = data.clone();
        bad.tail = [InlineBatch { bytes: good[..cut].to_vec().into(), ..first.clone() }].into_iter().collect();
        let mut reader = fixture.tables.read(&bad, None, &CancelToken::new()).unwrap();
        let error = error_from_arrow(reader.next().unwrap().unwrap_err());
        assert_eq!(error.code(), Code::LogCorrupt, "cut at {cut}");
    }
    for at in 0..400.min(good.len()) {
        let mut bad = data.clone();
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        bad.tail = [InlineBatch { bytes: bytes.into(), ..first.clone() }].into_iter().collect();
        // Some flips change a value only, which the record's hash finds; none may panic.
        let _: Vec<_> = fixture.tables.read(&bad, None, &CancelToken::new()).unwrap().collect();
    }
}

#[test]
fn long_manifests_share_their_nodes() {
    let fixture = Fixture::new();
    let small = fixture.overwrite(None, &[rows(0..10)]).unwrap();
    assert!(matches!(fixture.tables.store_manifest(&small.manifest).unwrap(), ManifestSource::Here(_)));
    let entry = &small.manifest.chunks[0];
    let chunk = |n: u64| crate::format::ChunkEntry {
        chunk: crate::format::ChunkHash::of(&n.to_le_bytes()),
        rows: n,
        ..entry.clone()
    };
    let mut manifest = crate::format::Manifest { chunks: (0..5000).map(chunk).collect() };
    let ManifestSource::Node(root) = fixture.tables.store_manifest(&manifest).unwrap() else { panic!() };
    assert_eq!(fixture.tables.load_manifest(root).unwrap(), manifest);
    let nodes = fixture.tables.manifest_nodes(root).unwrap();
    assert!(nodes.len() > 10 && nodes[0] == root);
    let before = fixture.memory.list("meta").unwrap().len();
    assert_eq!(before, nodes.len());
    manifest.chunks.insert(2500, chunk(9999));
    let ManifestSource::Node(other) = fixture.tables.store_manifest(&manifest).unwrap() else { panic!() };
    assert!(fixture.memory.list("meta").unwrap().len() <= before + 4);
    assert_eq!(fixture.tables.load_manifest(other).unwrap(), manifest);
    let mut sound = std::collections::HashSet::new();
    assert_eq!(fixture.tables.load_unknown_entries(root, &mut sound).unwrap().len(), 5000);
    assert_eq!(fixture.tables.load_unknown_entries(root, &mut sound).unwrap(), []);
    let unknown = fixture.tables.load_unknown_entries(other, &mut sound).unwrap();
    assert!(unknown.contains(&manifest.chunks[2500]) && unknown.len() < 2000, "{}", unknown.len());
    let path = format!("meta/{}/{}/{}", &root.to_hex()[..2], &root.to_hex()[2..4], root.to_hex());
    fixture.memory.delete(&path).unwrap();
    assert_eq!(code(fixture.tables.load_manifest(root)), Code::ChunkNotFound);
    fixture.memory.create(&path, b"something else").unwrap();
    assert_eq!(code(fixture.tables.load_manifest(root)), Code::HashMismatch);
    // A node below is missing: the nodes above it count as unknown, so that each walk tells of it.
    let leaf = nodes.last().unwrap().to_hex();
    fixture.memory.delete(&format!("meta/{}/{}/{leaf}", &leaf[..2], &leaf[2..4])).unwrap();
    let mut sound = std::collections::HashSet::new();
    for _ in 0..2 {
        assert_eq!(code(fixture.tables.load_unknown_entries(other, &mut sound)), Code::ChunkNotFound);
        assert!(sound.is_empty());
    }
}

#[test]
fn a_bare_list_of_chunks_is_a_table() {
    let fixture = Fixture::new();
    let first = fixture.overwrite(None, &[rows(0..MANY)]).unwrap();
    let hashes: Vec<_> = first.manifest.chunks.iter().map(|chunk| chunk.chunk).collect();
    let listed = fixture.tables.from_listed(&hashes).unwrap();
    assert_eq!(fixture.read(&listed), rows(0..MANY));
    let junk = fixture.tables.chunks().put(b"no parquet").unwrap().hash;
    assert_eq!(code(fixture.tables.from_listed(&[junk])), Code::InvalidArgument);
    assert_eq!(code(fixture.tables.from_listed(&[])), Code::InvalidArgument);
}

fn changes(fixture: &Fixture, from: &TableData, to: &TableData, key: &[String]) -> Vec<(String, i64)> {
    let rows = collect(fixture.tables.diff_rows(from, to, key, &CancelToken::new()).unwrap());
    let kinds = rows.column_by_name(CHANGE_TYPE_COLUMN).unwrap().as_string::<i32>().clone();
    let ids = rows.column_by_name("id").unwrap().as_primitive::<Int64Type>().clone();
    kinds.iter().zip(ids.values()).map(|(kind, id)| (kind.unwrap().to_string(), *id)).collect()
}

#[test]
fn differences_are_counted_and_handed_out() {
    let fixture = Fixture::new();
    let all = rows(0..MANY);
    let from = fixture.overwrite(None, std::slice::from_ref(&all)).unwrap().to_data(None);
    let mut edited = rows(1_000..1_001);
    let value: ArrayRef = Arc::new(Float64Array::from(vec![-1.0]));
    edited =
        RecordBatch::try_new(edited.schema(), vec![edited.column(0).clone(), edited.column(1).clone(), value]).unwrap();
    let batches = [all.slice(0, 1000), edited, all.slice(1001, MANY as usize - 1003), rows(MANY..MANY + 3)];
    let to = fixture.overwrite(Some(&from), &batches).unwrap().to_data(None);
    let (cancel, key) = (CancelToken::new(), ["id".to_string()]);
    let by_key = fixture.tables.diff_counts(&from, &to, &key, &cancel).unwrap();
    assert_eq!((by_key.rows_added, by_key.rows_removed, by_key.rows_modified), (3, 2, 1));
    let whole = fixture.tables.diff_counts(&from, &to, &[], &cancel).unwrap();
    assert_eq!((whole.rows_added, whole.rows_removed, whole.rows_modified), (4, 3, 0));
    let mut found = changes(&fixture, &from, &to, &key);
    found.sort();
    let expected: Vec<(String, i64)> = [
        ("delete", MANY - 2),
        ("delete", MANY - 1),
        ("insert", MANY),
        ("insert", MANY + 1),
        ("insert", MANY + 2),
        ("update_postimage", 1000),
        ("update_preimage", 1000),
    ]
    .map(|(kind, id)| (kind.to_string(), id))
    .into();
    assert_eq!(found, expected);
    assert_eq!(fixture.tables.diff_counts(&from, &from, &key, &cancel).unwrap(), DiffCounts::default());
    assert_eq!(code(fixture.tables.diff_counts(&from, &to, &["nope".into()], &cancel)), Code::InvalidArgument);
    let empty = TableData::empty(from.schema.clone());
    assert_eq!(fixture.tables.diff_counts(&from, &empty, &key, &cancel).unwrap().rows_removed, MANY as u64);
}

#[test]
fn a_diff_reads_only_what_differs() {
    let fixture = Fixture::new();
    let from = fixture.overwrite(None, &[rows(0..MANY)]).unwrap().to_data(None);
    let to = from.with_appended(
        &fixture.append(&from, &[rows(MANY..MANY + 9)], INLINE_BATCH_BYTES_MAX).unwrap(),
        Some(Version(2)),
    );
    for chunk in &from.manifest.chunks {
        fixture.memory.delete(&fixture.tables.chunks().path(chunk.chunk)).unwrap();
    }
    let found = changes(&fixture, &from, &to, &[]);
    assert_eq!(found, (MANY..MANY + 9).map(|id| ("insert".to_string(), id)).collect::<Vec<_>>());
}

#[test]
fn a_diff_over_schemas_compares_what_both_have() {
    let fixture = Fixture::new();
    let from = fixture.overwrite(None, &[rows(0..10)]).unwrap().to_data(None);
    let wide: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; 10]));
    let batch = rows(0..10);
    let mut columns: Vec<(&str, ArrayRef)> =
        batch.schema_ref().fields().iter().map(|f| f.name().as_str()).zip(batch.columns().iter().cloned()).collect();
    columns.push(("note", wide));
    let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
    let to = fixture
        .overwrite(Some(&from), &[RecordBatch::try_from_iter_with_nullable(nullable).unwrap()])
        .unwrap()
        .to_data(None);
    let counts = fixture.tables.diff_counts(&from, &to, &[], &CancelToken::new()).unwrap();
    assert_eq!((counts.rows_added, counts.rows_removed), (0, 0));
    assert_eq!(counts.schema_changes, ["column \"id\" now takes nulls", "column \"note\" (Utf8) was added"]);
}

#[test]
fn nulls_under_a_null_struct_do_not_count() {
    let fields = vec![Field::new("inner", DataType::Int32, false)];
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let nulls = arrow::buffer::NullBuffer::from(vec![true, false]);
    let column: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![inner], Some(nulls)));
    let batch = RecordBatch::try_from_iter([("s", column)]).unwrap();
    let fixture = Fixture::new();
    let data = fixture.overwrite(None, std::slice::from_ref(&batch)).unwrap().to_data(None);
    assert_eq!(fixture.read(&data), batch);
}

#[test]
fn a_union_is_refused_by_a_write_too() {
    let fields = UnionFields::from_fields(vec![Field::new("i", DataType::Int32, true)]);
    let column =
        UnionArray::try_new(fields, ScalarBuffer::from(vec![0_i8]), None, vec![Arc::new(Int32Array::from(vec![1]))])
            .unwrap();
    let batch = RecordBatch::try_from_iter([("odd", Arc::new(column) as ArrayRef)]).unwrap();
    assert_eq!(code(Fixture::new().overwrite(None, &[batch])), Code::Unsupported);
}
