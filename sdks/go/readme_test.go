package armillaria_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The Go code of each README is code that Example runs.
func TestTheReadmesShowCodeThatRuns(t *testing.T) {
	ran := string(must(os.ReadFile("example_test.go"))(t))
	for _, path := range []string{"README.md", "../../README.md"} {
		text := string(must(os.ReadFile(path))(t))
		blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s shows no Go", path)
		}
		for _, block := range blocks {
			if !strings.Contains(ran, block[1]) {
				t.Errorf("%s shows code that example_test.go does not run:\n%s", path, block[1])
			}
		}
	}
}
