use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit};
use tempfile::TempDir;

use super::*;

fn options() -> ReadOptions {
    let (nulls, types) = (Vec::new(), Vec::new());
    ReadOptions { format: None, delimiter: None, header: true, nulls, types, sample_rows: 100, table: None }
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn read(paths: &[PathBuf], options: ReadOptions) -> Result<RecordBatch> {
    let files = Files::open(paths, options, &CancelToken::new())?;
    let schema = files.schema();
    let batches: Result<Vec<_>, _> = files.read(Position::default()).collect();
    Ok(concat_batches(&schema, &batches.map_err(crate::rows::unwrap_error)?).unwrap())
}

fn error(paths: &[PathBuf], options: ReadOptions) -> String {
    read(paths, options).unwrap_err().to_string()
}

#[test]
fn csv_types_are_found_and_empty_is_null() {
    let folder = Folder::new();
    let path = folder.file("a.csv", "id,name,zip,at\n1,x,01234,2013-01-01 05:00:00\n2,,99,\n");
    let rows = read(&[path], options()).unwrap();
    let types: Vec<_> = rows.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert_eq!(types, [DataType::Int64, DataType::Utf8, DataType::Utf8, time]);
    assert_eq!(rows.column(2).as_string::<i32>().value(0), "01234");
    assert!(rows.column(1).is_null(1) && rows.column(3).is_null(1));
}

#[test]
fn csv_errors_name_file_and_line() {
    let folder = Folder::new();
    let sampled = ReadOptions { sample_rows: 1, ..options() };
    let path = folder.file("late.csv", "id,text\n1,\"two\nlines\"\n2,b\nthree,c\n");
    let message = error(&[path], sampled);
    assert!(message.contains("late.csv: line 5: \"three\" in column \"id\" is not Int64"), "{message}");
    let message = error(&[folder.file("ragged.csv", "a,b\n1,2\n3\n")], options());
    assert!(message.contains("ragged.csv: line 3 has 1 columns, the lines before it have 2"), "{message}");
    assert!(error(&[folder.file("empty.csv", "")], options()).contains("empty.csv: the file is empty"));
    assert!(error(&[folder.file("twice.csv", "a,a\n1,2\n")], options()).contains("\"a\" is there twice"));
    let latin = folder.0.path().join("latin.csv");
    std::fs::write(&latin, b"a\n\xe4\n").unwrap();
    assert!(error(&[latin], options()).contains("line 2 is not UTF-8"));
}

#[test]
fn csv_follows_its_options() {
    let folder = Folder::new();
    let nulls = ReadOptions { nulls: vec!["NA".into()], ..options() };
    let rows = read(&[folder.file("na.csv", "n\n1\nNA\n")], nulls).unwrap();
    assert_eq!((rows.column(0).data_type(), rows.column(0).null_count()), (&DataType::Int64, 1));
    let bare = ReadOptions { header: false, delimiter: Some(b';'), ..options() };
    let rows = read(&[folder.file("bare.csv", "1;x\n2;y\n")], bare).unwrap();
    assert_eq!((rows.schema().field(1).name().as_str(), rows.num_rows()), ("column2", 2));
    let typed = ReadOptions { types: vec![("n".into(), DataType::Decimal128(10, 2))], ..options() };
    let rows = read(&[folder.file("money.csv", "n\n1.50\n")], typed.clone()).unwrap();
    assert_eq!(rows.column(0).data_type(), &DataType::Decimal128(10, 2));
    assert!(error(&[folder.file("other.csv", "m\n1\n")], typed).contains("no file has a column \"n\""));
    let tabs = read(&[folder.file("t.tsv", "a\tb\n1\t2\n")], options()).unwrap();
    assert_eq!(tabs.num_columns(), 2);
}

#[test]
fn the_tables_types_win_over_guessed_ones() {
    let folder = Folder::new();
    let table = Schema::new(vec![Field::new("code", DataType::Utf8, true)]);
    let appended = ReadOptions { table: Some(table.into()), ..options() };
    let rows = read(&[folder.file("codes.csv", "code,n\n17,1\n")], appended).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), "17");
    assert_eq!(rows.column(1).data_type(), &DataType::Int64);
}

#[test]
fn several_files_become_one_stream() {
    let folder = Folder::new();
    let paths = [
        folder.file("a.csv", "n,x\n1,a\n"),
        folder.file("b.csv", "n,y\n2.5,b\n"),
        folder.file("c.jsonl", "{\"n\":3}\n"),
    ];
    let rows = read(&paths, options()).unwrap();
    let names: Vec<_> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["n", "x", "y"]);
    assert_eq!(rows.column(0).as_primitive::<Float64Type>().values(), &[1.0, 2.5, 3.0]);
    assert_eq!((rows.column(1).null_count(), rows.column(2).null_count()), (2, 2));
    let mixed = [folder.file("n.csv", "n\n1\n"), folder.file("t.csv", "n\nx\n")];
    let message = error(&mixed, options());
    assert!(
        message.contains("column \"n\" differs between") && message.contains("t.csv: Int64 against Utf8"),
        "{message}"
    );
}

#[test]
fn json_comes_as_lines_objects_or_an_array() {
    let folder = Folder::new();
    let objects = [
        ("lines.jsonl", "{\"n\":1,\"t\":\"[,]\"}\n{\"n\":2,\"t\":null}\n"),
        ("pretty.json", "{\n \"n\": 1,\n \"t\": \"[,]\"\n}\n{\"n\": 2}"),
        ("array.json", "[{\"n\":1,\"t\":\"[,]\"},\n {\"n\":2}]"),
    ];
    for (name, content) in objects {
        let rows = read(&[folder.file(name, content)], options()).unwrap();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1, 2], "{name}");
        assert_eq!(rows.column(1).as_string::<i32>().value(0), "[,]", "{name}");
        assert!(rows.column(1).is_null(1), "{name}");
    }
    let nested = read(&[folder.file("nested.json", "[{\"a\":[1,2],\"s\":{\"x\":[{\"y\":1}]}}]")], options()).unwrap();
    assert_eq!((nested.num_rows(), nested.num_columns()), (1, 2));
}

#[test]
fn json_errors_name_file_and_object() {
    let folder = Folder::new();
    let sampled = ReadOptions { sample_rows: 1, ..options() };
    let message = error(&[folder.file("late.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\":\"x\"}\n")], sampled.clone());
    assert!(message.contains("late.jsonl: object 3: "), "{message}");
    let message = error(&[folder.file("new.jsonl", "{\"n\":1}\n{\"m\":2}\n")], sampled);
    assert!(message.contains("new.jsonl: object 2: ") && message.contains('m'), "{message}");
    assert!(error(&[folder.file("list.json", "[1, 2]")], options()).contains("every row must be an object, found 1"));
    assert!(error(&[folder.file("cut.json", "[{\"n\":1},")], options()).contains("cut off"));
    assert!(error(&[folder.file("bad.json", "[{\"n\":1},\n{\"n\":}]")], options()).contains("line 2"));
    assert!(error(&[folder.file("none.json", "[]")], options()).contains("has no objects"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    assert!(error(&[folder.file("x.parquet", "no parquet")], options()).contains("x.parquet: "));
    assert!(error(&[folder.file("x.arrow", "no arrow")], options()).contains("x.arrow: not Arrow IPC"));
    assert!(error(&[folder.file("x.unknown", "")], options()).contains("the format of "));
    assert!(error(&[folder.0.path().join("absent.csv")], options()).contains("absent.csv"));
    let csv = ReadOptions { format: Some(FileFormat::Csv), ..options() };
    assert!(error(&[folder.0.path().into()], csv).contains("is a folder"));
}

#[test]
fn parquet_and_arrow_keep_their_types() {
    let folder = Folder::new();
    let csv = read(&[folder.file("a.csv", "id,day\n1,2013-01-01\n,2013-01-02\n")], options()).unwrap();
    let parquet_path = folder.0.path().join("a.parquet");
    let mut writer =
        ::parquet::arrow::ArrowWriter::try_new(File::create(&parquet_path).unwrap(), csv.schema(), None).unwrap();
    writer.write(&csv).unwrap();
    writer.close().unwrap();
    let (file_path, stream_path) = (folder.0.path().join("a.arrow"), folder.0.path().join("b.arrows"));
    let mut writer = arrow::ipc::writer::FileWriter::try_new(File::create(&file_path).unwrap(), &csv.schema()).unwrap();
    writer.write(&csv).unwrap();
    writer.finish().unwrap();
    let mut writer =
        arrow::ipc::writer::StreamWriter::try_new(File::create(&stream_path).unwrap(), &csv.schema()).unwrap();
    writer.write(&csv).unwrap();
    writer.finish().unwrap();
    for path in [parquet_path, file_path, stream_path] {
        let rows = read(std::slice::from_ref(&path), options()).unwrap();
        assert_eq!(rows.columns(), csv.columns(), "{}", path.display());
    }
}

#[test]
fn csv_numbers_and_times_keep_their_digits() {
    let folder = Folder::new();
    let content = "wide,at\n9007199254740993,2013-01-01T00:00:00.123456789\n1.5,2013-01-01T00:00:00\n";
    let rows = read(&[folder.file("digits.csv", content)], options()).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), "9007199254740993");
    assert_eq!(rows.column(1).as_string::<i32>().value(0), "2013-01-01T00:00:00.123456789");
    let sampled = ReadOptions { sample_rows: 1, ..options() };
    let late = folder.file("late.csv", "x,at\n1.5,2013-01-01T00:00:00\n9007199254740993,2013-01-01T00:00:00\n");
    let message = error(std::slice::from_ref(&late), sampled.clone());
    assert!(message.contains("line 3: \"9007199254740993\" in column \"x\" would lose digits as Float64"), "{message}");
    let chosen = ReadOptions { types: vec![("x".into(), DataType::Float64)], ..sampled.clone() };
    assert_eq!(read(&[late], chosen).unwrap().num_rows(), 2, "whoever chooses a float gets one");
    let nanos = folder.file("nanos.csv", "at\n2013-01-01T00:00:00\n2013-01-01T00:00:00.000000001\n");
    assert!(error(&[nanos], sampled).contains("would lose digits as Timestamp"));
    let files = [folder.file("i.csv", "n\n9007199254740993\n"), folder.file("f.csv", "n\n1.5\n")];
    assert!(error(&files, options()).contains("would lose digits"));
}

#[test]
fn an_empty_line_of_one_column_is_a_row() {
    let folder = Folder::new();
    for (content, expected) in [
        ("n\n1\n\n3\n", vec![Some(1), None, Some(3)]),
        ("\nn\n1\n\n\n", vec![Some(1), None, None]),
        ("n\r\n1\r\n\r\n3", vec![Some(1), None, Some(3)]),
        ("\u{feff}\"n\"\n\"\"\n1\n", vec![None, Some(1)]),
    ] {
        let rows = read(&[folder.file("one.csv", content)], options()).unwrap();
        assert_eq!(rows.schema().field(0).name(), "n");
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), expected, "{content:?}");
    }
    let bare = ReadOptions { header: false, ..options() };
    assert_eq!(read(&[folder.file("bare.csv", "\n1\n")], bare).unwrap().num_rows(), 2);
    assert_eq!(read(&[folder.file("two.csv", "a,b\n1,2\n\n3,4\n")], options()).unwrap().num_rows(), 2);
}

#[test]
fn a_quote_that_never_ends_is_refused() {
    let folder = Folder::new();
    for (content, line) in [("\"a\"\",b\n1,2", 1), ("a,b\n1,2\n3,\"x\n4,5\n", 3)] {
        let message = error(&[folder.file("open.csv", content)], options());
        assert!(message.contains(&format!("the file ends inside the quotes that line {line} opens")), "{message}");
    }
    let rows = read(&[folder.file("whole.csv", "a,b\n\"x\"\"\n\",5\" tall\n")], options()).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), "x\"\n");
    assert_eq!(rows.column(1).as_string::<i32>().value(0), "5\" tall");
}

#[test]
fn json_columns_of_several_kinds_become_text() {
    let folder = Folder::new();
    let rows =
        read(&[folder.file("mixed.jsonl", "{\"b\":1,\"a\":\"x\"}\n{\"b\":\"y\",\"a\":true}\n")], options()).unwrap();
    let names: Vec<_> = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["b", "a"], "in the order of the file");
    let texts =
        |column: usize| rows.column(column).as_string::<i32>().iter().flatten().map(String::from).collect::<Vec<_>>();
    assert_eq!((texts(0), texts(1)), (vec!["1".into(), "y".into()], vec!["x".into(), "true".into()]));
    let typed = ReadOptions { types: vec![("a".into(), DataType::Utf8)], ..options() };
    let rows = read(&[folder.file("typed.json", "[{\"a\":1.50}]")], typed).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), "1.50");
    let mixed = error(&[folder.file("lists.json", "[{\"a\":[1]},{\"a\":1}]")], options());
    assert!(mixed.contains("column \"a\" holds lists or objects in some places"), "{mixed}");
}

#[test]
fn json_numbers_keep_their_digits() {
    let folder = Folder::new();
    let content = "{\"u\":18446744073709551615,\"w\":9007199254740993,\"l\":[1]}\n{\"u\":1,\"w\":1.5,\"l\":[2.5]}\n";
    let rows = read(&[folder.file("digits.jsonl", content)], options()).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), "18446744073709551615");
    assert_eq!(rows.column(1).as_string::<i32>().value(0), "9007199254740993");
    assert_eq!(rows.column(2).as_list::<i32>().value(1).as_primitive::<Float64Type>().values(), &[2.5]);
    let sampled = ReadOptions { sample_rows: 1, ..options() };
    for (first, later) in [("1", "1.5"), ("1.5", "9007199254740993"), ("1", "18446744073709551615"), ("[1]", "[1.5]")] {
        let path = folder.file("late.jsonl", &format!("{{\"n\":{first}}}\n{{\"n\":{later}}}\n"));
        let message = error(&[path], sampled.clone());
        assert!(message.contains("late.jsonl: object 2: ") && message.contains("does not fit"), "{message}");
    }
    let appended =
        ReadOptions { table: Some(Schema::new(vec![Field::new("n", DataType::Int64, true)]).into()), ..options() };
    let cut = error(&[folder.file("cut.jsonl", "{\"n\":1.5}\n")], appended);
    assert!(cut.contains("1.5 in column \"n\" does not fit Int64"), "{cut}");
}

#[test]
fn a_byte_order_mark_is_no_content() {
    let folder = Folder::new();
    for name in ["mark.json", "mark.jsonl"] {
        let rows = read(&[folder.file(name, "\u{feff}{\"n\":1}\n")], options()).unwrap();
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1]);
    }
}
