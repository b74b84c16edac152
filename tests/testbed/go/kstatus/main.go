// Computes the kstatus status of objects: reads one JSON object per line, and writes one line for each, the status and
// its message with a tab between.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		object := &unstructured.Unstructured{}
		// Not json.Unmarshal: the library wants whole numbers as int64.
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			fmt.Printf("Unreadable\t%v\n", err)
			continue
		}
		result, err := status.Compute(object)
		if err != nil {
			fmt.Printf("Unknown\t%s\n", oneLine(err.Error()))
			continue
		}
		fmt.Printf("%s\t%s\n", result.Status, oneLine(result.Message))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
