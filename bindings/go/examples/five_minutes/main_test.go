// Copyright the libpat authors. SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
)

func Example() {
	dir, err := os.MkdirTemp("", "five_minutes")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	os.Args = []string{"five_minutes", dir}
	main()
	// Output:
	// issued:   acme_pat_*** (laptop)
	// verified: alice
	// refused:  inactive
}

func TestReadmeShowsThisProgram(t *testing.T) {
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(program)+"```\n") {
		t.Error("README.md shows another program")
	}
	if strings.Count(string(program), "\n") >= 30 {
		t.Error("the program is not short")
	}
}
