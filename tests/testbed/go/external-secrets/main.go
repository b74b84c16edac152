// External Secrets Operator for the tests: its controllers of SecretStores and PushSecrets, set up as its own program sets
// them up. `external-secrets definitions` prints the definitions that they need; without an argument it runs.
package main

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap/zapcore"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	esv1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1"
	esv1alpha1 "github.com/external-secrets/external-secrets/apis/externalsecrets/v1alpha1"
	genv1alpha1 "github.com/external-secrets/external-secrets/apis/generators/v1alpha1"
	ctrlcommon "github.com/external-secrets/external-secrets/pkg/controllers/common"
	ctrlmetrics "github.com/external-secrets/external-secrets/pkg/controllers/metrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/pushsecret"
	"github.com/external-secrets/external-secrets/pkg/controllers/pushsecret/psmetrics"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore"
	"github.com/external-secrets/external-secrets/pkg/controllers/secretstore/ssmetrics"
	"github.com/external-secrets/external-secrets/pkg/feature"
)

//go:embed definitions
var definitions embed.FS

func main() {
	work := run
	if len(os.Args) > 1 {
		work = printDefinitions
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printDefinitions() error {
	files, err := definitions.ReadDir("definitions")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := definitions.ReadFile("definitions/" + file.Name())
		if err != nil {
			return err
		}
		fmt.Printf("---\n%s\n", text)
	}
	return nil
}

func run() error {
	ctrl.SetLogger(zap.New(zap.Level(zapcore.InfoLevel)))
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, esv1.AddToScheme, esv1alpha1.AddToScheme, genv1alpha1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: server.Options{BindAddress: "0"},
		Client:  client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&v1.Secret{}}}},
	})
	if err != nil {
		return err
	}
	ctrlmetrics.SetUpLabelNames(false)
	ssmetrics.SetUpMetrics()
	psmetrics.SetUpMetrics()
	stores := &secretstore.StoreReconciler{
		Client:          manager.GetClient(),
		Log:             ctrl.Log.WithName("SecretStore"),
		Scheme:          scheme,
		ControllerClass: "default",
		RequeueInterval: 5 * time.Minute,
	}
	pushes := &pushsecret.Reconciler{
		Client:          manager.GetClient(),
		Log:             ctrl.Log.WithName("PushSecret"),
		Scheme:          scheme,
		ControllerClass: "default",
		RestConfig:      config,
		RequeueInterval: time.Hour,
	}
	options := func() controller.Options { return controller.Options{RateLimiter: ctrlcommon.BuildRateLimiter()} }
	if err := errors.Join(stores.SetupWithManager(manager, options()), pushes.SetupWithManager(manager, options())); err != nil {
		return err
	}
	for _, part := range feature.Features() {
		if part.Initialize != nil {
			part.Initialize()
		}
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
