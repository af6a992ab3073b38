//go:build race

package armillaria_test

const raceDetector = true
