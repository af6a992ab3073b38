// Conformance runs the cases of conformance-tests through the Go SDK and writes a report; see conformance-tests/README.md.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// outcome is what became of a case.
type outcome struct {
	Case   string `json:"case"`
	Status string `json:"status"`
	Reason string `json:"reason"`
}

func main() {
	failed, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
	}
	if failed || err != nil {
		os.Exit(1)
	}
}

// run runs all cases and tells whether one failed.
func run() (failed bool, err error) {
	root, err := findRoot()
	if err != nil {
		return false, err
	}
	skips := map[string]string{}
	if err := readJSON(filepath.Join(root, "sdks/go/conformance-skips.json"), &skips); err != nil {
		return false, err
	}
	outcomes, err := runCases(root, skips)
	if err != nil {
		return false, err
	}
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o.Status]++
		if o.Status == "failed" {
			fmt.Printf("FAILED %s: %s\n", o.Case, o.Reason)
		}
	}
	fmt.Printf("conformance go: %d passed, %d failed, %d skipped\n", counts["passed"], counts["failed"], counts["skipped"])
	return counts["failed"] > 0 || len(outcomes) == 0, writeReport(root, outcomes)
}

func runCases(root string, skips map[string]string) ([]outcome, error) {
	names, err := caseNames(filepath.Join(root, "conformance-tests/cases"))
	if err != nil {
		return nil, err
	}
	only := os.Getenv("ARMILLARIA_CONFORMANCE_CASE")
	var outcomes []outcome
	for _, name := range names {
		if only == "" || only == name {
			outcomes = append(outcomes, judge(name, runCase(root, name), skips))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(skips)) {
		if !slices.Contains(names, name) {
			outcomes = append(outcomes, outcome{name, "failed", "it is to be skipped and does not exist"})
		}
	}
	return outcomes, nil
}

func judge(name string, failure error, skips map[string]string) outcome {
	reason, skipped := skips[name]
	switch {
	case skipped && failure == nil:
		return outcome{name, "failed", "it passes and is to be skipped: " + reason}
	case skipped:
		return outcome{name, "skipped", reason}
	case failure != nil:
		return outcome{name, "failed", failure.Error()}
	default:
		return outcome{name, "passed", ""}
	}
}

func caseNames(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		relative, err := filepath.Rel(folder, strings.TrimSuffix(path, ".json"))
		names = append(names, filepath.ToSlash(relative))
		return err
	})
	slices.Sort(names)
	return names, err
}

func writeReport(root string, outcomes []outcome) error {
	path := os.Getenv("ARMILLARIA_CONFORMANCE_REPORT")
	if path == "" {
		path = filepath.Join(root, "target/conformance/go.json")
	}
	report, err := json.MarshalIndent(map[string]any{"sdk": "go", "results": outcomes}, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(report, '\n'), 0o644)
}

func readJSON(path string, value any) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	decoder.UseNumber()
	return decoder.Decode(value)
}

// findRoot finds the folder that conformance-tests is in, here or above.
func findRoot() (string, error) {
	folder, err := os.Getwd()
	for ; err == nil; folder = filepath.Dir(folder) {
		if _, missing := os.Stat(filepath.Join(folder, "conformance-tests/cases")); missing == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("conformance-tests is neither here nor above")
		}
	}
	return "", err
}
