//! Round trips of random tables of every type, and the bytes that format version 1 gives.

use std::sync::Arc;

use arrow::array::types::*;
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray,
    ListArray, MapArray, NullArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, TimeUnit, i256};
use proptest::prelude::*;

use super::normal_array::conform;
use super::tests::Fixture;

/// A small deterministic generator; the seed comes from proptest.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn nulls(&mut self, rows: usize, nullable: bool) -> Option<NullBuffer> {
        (nullable && self.below(3) > 0).then(|| (0..rows).map(|_| self.below(4) > 0).collect::<Vec<bool>>().into())
    }

    fn text(&mut self) -> String {
        let length = [0, 1, 5, 13, 40][self.below(5) as usize];
        (0..length).map(|_| ['a', 'ß', '☃', '\0', 'z'][self.below(5) as usize]).collect()
    }

    fn lengths(&mut self, rows: usize) -> OffsetBuffer<i32> {
        OffsetBuffer::from_lengths((0..rows).map(|_| self.below(4) as usize))
    }

    fn primitive<T: ArrowPrimitiveType>(
        &mut self,
        rows: usize,
        nullable: bool,
        value: impl Fn(u64) -> T::Native,
    ) -> PrimitiveArray<T> {
        let values: Vec<T::Native> = (0..rows).map(|_| value(self.next())).collect();
        PrimitiveArray::new(values.into(), self.nulls(rows, nullable))
    }

    fn array(&mut self, data_type: &DataType, rows: usize, nullable: bool) -> ArrayRef {
        use DataType::*;
        match data_type {
            Null => Arc::new(NullArray::new(rows)),
            Boolean => {
                let values: Vec<bool> = (0..rows).map(|_| self.below(2) == 1).collect();
                Arc::new(BooleanArray::new(values.into(), self.nulls(rows, nullable)))
            }
            Float16 => Arc::new(self.primitive::<Float16Type>(rows, nullable, |word| {
                <Float16Type as ArrowPrimitiveType>::Native::from_f32(word as i8 as f32 / 4.0)
            })),
            Float32 => Arc::new(self.primitive::<Float32Type>(rows, nullable, |word| match word % 9 {
                0 => f32::NAN,
                1 => -0.0,
                2 => f32::INFINITY,
                _ => word as i16 as f32 / 8.0,
            })),
            Float64 => Arc::new(self.primitive::<Float64Type>(rows, nullable, |word| match word % 9 {
                0 => f64::NAN,
                1 => -0.0,
                2 => f64::NEG_INFINITY,
                _ => word as i32 as f64 / 8.0,
            })),
            Utf8 => {
                let values: Vec<String> = (0..rows).map(|_| self.text()).collect();
                let (offsets, values, _) = StringArray::from_iter_values(values).into_parts();
                Arc::new(StringArray::new(offsets, values, self.nulls(rows, nullable)))
            }
            Binary => {
                let values: Vec<Vec<u8>> =
                    (0..rows).map(|_| self.next().to_le_bytes()[..self.below(9) as usize].to_vec()).collect();
                let (offsets, values, _) = BinaryArray::from_iter_values(values).into_parts();
                Arc::new(BinaryArray::new(offsets, values, self.nulls(rows, nullable)))
            }
            FixedSizeBinary(width) => {
                let bytes: Vec<u8> = (0..rows * *width as usize).map(|_| self.next() as u8).collect();
                Arc::new(FixedSizeBinaryArray::new(*width, bytes.into(), self.nulls(rows, nullable)))
            }
            List(item) => {
                let offsets = self.lengths(rows);
                let values = self.array(item.data_type(), *offsets.last().unwrap() as usize, item.is_nullable());
                Arc::new(ListArray::new(item.clone(), offsets, values, self.nulls(rows, nullable)))
            }
            FixedSizeList(item, length) => {
                let values = self.array(item.data_type(), rows * *length as usize, item.is_nullable());
                Arc::new(FixedSizeListArray::new(item.clone(), *length, values, self.nulls(rows, nullable)))
            }
            Struct(fields) => {
                let columns =
                    fields.iter().map(|field| self.array(field.data_type(), rows, field.is_nullable())).collect();
                Arc::new(StructArray::new(fields.clone(), columns, self.nulls(rows, nullable)))
            }
            Map(entries, _) => {
                let offsets = self.lengths(rows);
                let pairs = self.array(entries.data_type(), *offsets.last().unwrap() as usize, false);
                let pairs = pairs.as_any().downcast_ref::<StructArray>().unwrap().clone();
                let (fields, columns, _) = pairs.into_parts();
                let pairs = StructArray::new(fields, columns, None);
                Arc::new(MapArray::new(entries.clone(), offsets, pairs, self.nulls(rows, nullable), false))
            }
            Interval(IntervalUnit::YearMonth) => {
                Arc::new(self.primitive::<IntervalYearMonthType>(rows, nullable, |word| word as i16 as i32))
            }
            Interval(_) => Arc::new(self.primitive::<IntervalDayTimeType>(rows, nullable, |word| {
                arrow::datatypes::IntervalDayTime::new(word as i16 as i32, (word >> 20) as i16 as i32)
            })),
            Decimal32(digits, scale) => {
                let values = self.primitive::<Decimal32Type>(rows, nullable, |word| word as i8 as i32);
                Arc::new(values.with_precision_and_scale(*digits, *scale).unwrap())
            }
            Decimal64(digits, scale) => {
                let values = self.primitive::<Decimal64Type>(rows, nullable, |word| i64::from(word as i8));
                Arc::new(values.with_precision_and_scale(*digits, *scale).unwrap())
            }
            Decimal128(digits, scale) => {
                let values = self.primitive::<Decimal128Type>(rows, nullable, |word| i128::from(word as i8));
                Arc::new(values.with_precision_and_scale(*digits, *scale).unwrap())
            }
            Decimal256(digits, scale) => {
                let values =
                    self.primitive::<Decimal256Type>(rows, nullable, |word| i256::from_i128(i128::from(word as i8)));
                Arc::new(values.with_precision_and_scale(*digits, *scale).unwrap())
            }
            Dictionary(_, values) => {
                let values = self.array(values, rows, nullable);
                cast(&values, data_type).unwrap()
            }
            other => self.cast_from_integers(other, rows, nullable),
        }
    }

    /// Types that hold small integers under another name.
    fn cast_from_integers(&mut self, data_type: &DataType, rows: usize, nullable: bool) -> ArrayRef {
        let small: ArrayRef = Arc::new(self.primitive::<Int64Type>(rows, nullable, |word| i64::from(word as u8 & 127)));
        let text: ArrayRef = self.array(&DataType::Utf8, rows, nullable);
        match data_type {
            DataType::LargeUtf8 | DataType::Utf8View | DataType::LargeBinary | DataType::BinaryView => {
                cast(&text, data_type).unwrap()
            }
            DataType::Date32 | DataType::Time32(_) => {
                cast(&cast(&small, &DataType::Int32).unwrap(), data_type).unwrap()
            }
            _ => cast(&small, data_type).unwrap(),
        }
    }
}

fn leaf() -> impl Strategy<Value = DataType> {
    use DataType::*;
    let zone = || Some(Arc::<str>::from("Europe/Zurich"));
    prop::sample::select(vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        LargeBinary,
        BinaryView,
        FixedSizeBinary(1),
        FixedSizeBinary(16),
        Date32,
        Date64,
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Timestamp(TimeUnit::Second, None),
        Timestamp(TimeUnit::Second, zone()),
        Timestamp(TimeUnit::Millisecond, None),
        Timestamp(TimeUnit::Microsecond, zone()),
        Timestamp(TimeUnit::Nanosecond, None),
        Duration(TimeUnit::Second),
        Duration(TimeUnit::Millisecond),
        Duration(TimeUnit::Microsecond),
        Duration(TimeUnit::Nanosecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Decimal32(5, 2),
        Decimal64(12, 0),
        Decimal128(4, 1),
        Decimal128(15, 3),
        Decimal128(38, 10),
        Decimal256(20, 2),
        Decimal256(60, 5),
        Dictionary(Box::new(Int32), Box::new(Utf8)),
        Dictionary(Box::new(Int8), Box::new(Int64)),
    ])
}

fn data_type() -> impl Strategy<Value = DataType> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let item = |name: &'static str| {
            (inner.clone(), any::<bool>())
                .prop_map(move |(of, nullable)| Field::new(name, of.clone(), nullable || of == DataType::Null))
        };
        let fields = prop::collection::vec(item("f"), 1..4).prop_map(|fields| {
            let named = fields.into_iter().enumerate().map(|(at, field)| field.with_name(format!("f{at}")));
            DataType::Struct(named.collect::<Fields>())
        });
        let map = item("v").prop_map(|value| {
            let key = Field::new("k", DataType::Utf8, false);
            let entries = DataType::Struct(vec![key, value].into());
            DataType::Map(Arc::new(Field::new("pairs", entries, false)), false)
        });
        prop_oneof![
            item("element").prop_map(|item| DataType::List(Arc::new(item))),
            (item("element"), 1..4).prop_map(|(item, length)| DataType::FixedSizeList(Arc::new(item), length)),
            fields,
            map,
        ]
    })
}

fn batch() -> impl Strategy<Value = RecordBatch> {
    let columns = prop::collection::vec((data_type(), any::<bool>()), 1..5);
    (columns, 0_usize..120, any::<u64>()).prop_map(|(columns, rows, seed)| {
        let mut random = Random(seed);
        let named = columns.into_iter().enumerate().map(|(at, (of, nullable))| {
            let nullable = nullable || of == DataType::Null;
            (Field::new(format!("c{at}"), of, nullable), nullable)
        });
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = named
            .map(|(field, nullable)| {
                let array = random.array(field.data_type(), rows, nullable);
                (field, array)
            })
            .unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    })
}

fn normal(batch: &RecordBatch, schema: &arrow::datatypes::SchemaRef) -> RecordBatch {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| conform(column, field).unwrap()).collect();
    RecordBatch::try_new(schema.clone(), columns).unwrap()
}

fn pieces(batch: &RecordBatch, at: &[prop::sample::Index]) -> Vec<RecordBatch> {
    let mut cuts: Vec<usize> = at.iter().map(|index| index.index(batch.num_rows() + 1)).collect();
    cuts.extend([0, batch.num_rows()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| batch.slice(pair[0], pair[1] - pair[0])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_whatever_its_type(batch in batch(), at in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let fixture = Fixture::with_threads(1);
        let written = fixture.overwrite(None, std::slice::from_ref(&batch)).unwrap();
        let data = written.to_data(None);
        let read = fixture.read(&data);
        prop_assert_eq!(&read, &normal(&batch, &read.schema()));
        let other = Fixture::with_threads(1).overwrite(None, &pieces(&batch, &at)).unwrap();
        prop_assert_eq!(&other.manifest, &written.manifest);
        let again = fixture.overwrite(Some(&data), std::slice::from_ref(&read)).unwrap();
        prop_assert_eq!(&again.manifest.chunks, &written.manifest.chunks);
        let inline = fixture.tables.overwrite(
            &super::tests::name(), None, super::tests::stream(&[batch]), &[], 1 << 16, &Default::default()).unwrap();
        prop_assert_eq!(fixture.read(&inline.to_data(None)), read);
    }

    #[test]
    fn normal_form_changes_no_value(batch in batch()) {
        let read = Fixture::with_threads(1).tables.create(&batch.schema(), &[]).unwrap().to_arrow().unwrap();
        for (column, field) in batch.columns().iter().zip(read.fields()) {
            if arrow::compute::can_cast_types(column.data_type(), field.data_type()) {
                let expected = cast(column, field.data_type()).unwrap();
                prop_assert_eq!(&conform(column, field).unwrap(), &expected);
            }
        }
    }
}

/// One column of every kind, the same on every run.
fn golden_batch() -> RecordBatch {
    let mut random = Random(7);
    let item = || Arc::new(Field::new("item", DataType::Int16, true));
    let types = [
        DataType::Int64,
        DataType::Utf8,
        DataType::Float64,
        DataType::Boolean,
        DataType::Binary,
        DataType::Decimal128(15, 3),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::FixedSizeBinary(16),
        DataType::List(item()),
        DataType::FixedSizeList(item(), 2),
        DataType::Struct(vec![Field::new("x", DataType::Utf8, true), Field::new("y", DataType::Date32, true)].into()),
    ];
    let fields: Vec<Field> =
        types.iter().enumerate().map(|(at, of)| Field::new(format!("c{at}"), of.clone(), true)).collect();
    let columns = types.iter().map(|of| random.array(of, 1000, true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

/// Other hashes mean another format: stored boundaries would no longer match, equal rows become new chunks.
#[test]
fn golden_hashes() {
    let written = Fixture::with_threads(1).overwrite(None, &[golden_batch()]).unwrap();
    let chunk = &written.manifest.chunks[0];
    let hashes = [format!("{:016x}", chunk.first_row), chunk.logical.to_hex(), chunk.chunk.to_hex()];
    assert_eq!(
        hashes,
        [
            "01e08ecd78816cc0",
            "c5c86ad461fb8ff5c9cd4b3dc0a89b9c2baa706055e560e25bbf6d3dd3adfc85",
            "b585df67376a7ba0c038cacaa444797b310c6930a3cf280d3e05be26d742b9c5",
        ]
    );
}
