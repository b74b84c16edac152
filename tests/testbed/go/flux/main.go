// Reads a HelmRelease as the helm-controller of Flux does: rejects unknown fields, and composes the values of the release from
// the objects that it names. It reads one JSON object with "release" (a manifest) and "secrets" (name to key to value), and writes
// the values as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	helmv2 "github.com/fluxcd/helm-controller/api/v2"
	"github.com/fluxcd/pkg/chartutil"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"
)

type given struct {
	Release string                       `json:"release"`
	Secrets map[string]map[string]string `json:"secrets"`
}

func main() {
	var given given
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		end(err)
	}
	values, err := compose(given)
	if err != nil {
		end(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(values); err != nil {
		end(err)
	}
}

func compose(given given) (any, error) {
	var release helmv2.HelmRelease
	if err := yaml.UnmarshalStrict([]byte(given.Release), &release); err != nil {
		return nil, err
	}
	cluster := fake.NewClientBuilder().WithScheme(scheme.Scheme)
	for name, data := range given.Secrets {
		cluster = cluster.WithObjects(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: release.Namespace}, Data: bytes(data),
		})
	}
	return chartutil.ChartValuesFromReferences(context.Background(), log.Log, cluster.Build(),
		release.Namespace, release.GetValues(), release.Spec.ValuesFrom...)
}

func bytes(texts map[string]string) map[string][]byte {
	data := map[string][]byte{}
	for key, text := range texts {
		data[key] = []byte(text)
	}
	return data
}

func end(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
