package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	restclient "k8s.io/client-go/rest"
	logsapi "k8s.io/component-base/logs/api/v1"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	apiserveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	controlleroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
)

const readyTimeout = 120 * time.Second

// components are both programs with their flags parsed. Flag sets are used and not the cobra commands,
// because those take over the signals of the process.
type components struct {
	server     *apiserveroptions.ServerRunOptions
	manager    *controlleroptions.KubeControllerManagerOptions
	runManager bool
}

func newComponents(s *settings, keys *keyFolder, kubeconfig, etcdURL string, listener net.Listener) (*components, error) {
	manager, err := controlleroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return nil, err
	}
	c := &components{server: apiserveroptions.NewServerRunOptions(), manager: manager, runManager: s.controllers != ""}

	// Both flag sets are made before the component registry, which the process has one of, is set. The
	// manager's comes first: up to 1.34 it panics once the feature gates are in another flag set.
	managerFlags := pflag.NewFlagSet("kube-controller-manager", pflag.ContinueOnError)
	named := manager.Flags(controllers.KnownControllers(), controllers.ControllersDisabledByDefault(), controllers.ControllerAliases())
	for _, set := range named.FlagSets {
		managerFlags.AddFlagSet(set)
	}
	serverFlags := pflag.NewFlagSet("kube-apiserver", pflag.ContinueOnError)
	for _, set := range c.server.Flags().FlagSets {
		serverFlags.AddFlagSet(set)
	}
	if err := serverFlags.Parse(append(serverArguments(s, keys, etcdURL), s.apiServerArgs...)); err != nil {
		return nil, err
	}
	c.server.SecureServing.Listener = listener
	if err := managerFlags.Parse(append([]string{
		"--kubeconfig=" + kubeconfig, "--controllers=" + s.controllers, "--secure-port=0",
		"--leader-elect=false", "--use-service-account-credentials=false",
		"--kube-api-qps=1000", "--kube-api-burst=2000",
	}, s.controllerManagerArgs...)); err != nil {
		return nil, err
	}

	if err := c.server.GenericServerRunOptions.ComponentGlobalsRegistry.Set(); err != nil {
		return nil, err
	}
	restclient.SetDefaultWarningHandler(restclient.NoWarnings{})
	return c, logsapi.ValidateAndApply(c.server.Logs, utilfeature.DefaultFeatureGate)
}

func serverArguments(s *settings, keys *keyFolder, etcdURL string) []string {
	path := keys.path
	return []string{
		"--etcd-servers=" + etcdURL,
		"--bind-address=" + s.bind, fmt.Sprintf("--secure-port=%d", s.port),
		"--advertise-address=" + s.advertise, "--endpoint-reconciler-type=none",
		"--tls-cert-file=" + path("apiserver.crt"), "--tls-private-key-file=" + path("apiserver.key"),
		"--client-ca-file=" + path("ca.crt"),
		// Aggregated API services need these.
		"--requestheader-client-ca-file=" + path("front-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + path("front-proxy-client.crt"), "--proxy-client-key-file=" + path("front-proxy-client.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + path("sa.pub"), "--service-account-signing-key-file=" + path("sa.key"),
		"--authorization-mode=RBAC",
		// Its admission wants a token volume's ConfigMap in every namespace; no kubelet mounts it here.
		"--disable-admission-plugins=ServiceAccount",
		"--allow-privileged=true", "--service-cluster-ip-range=" + s.serviceCIDR,
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + path("kubelet-client.crt"), "--kubelet-client-key=" + path("kubelet-client.key"),
		"--enable-priority-and-fairness=false", "--max-requests-inflight=0", "--max-mutating-requests-inflight=0",
		"--profiling=false", "--v=" + s.verbosity,
	}
}

// runServer starts the API server; what it returns stops it.
func (c *components) runServer(failed chan<- error) (func(), error) {
	ctx, cancel := context.WithCancel(context.Background())
	completed, err := c.server.Complete(ctx)
	if err == nil {
		err = errors.Join(completed.Validate()...)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := apiserver.Run(ctx, completed); err != nil {
			failed <- fmt.Errorf("kube-apiserver: %w", err)
		} else if ctx.Err() == nil {
			failed <- errors.New("kube-apiserver ended")
		}
	}()
	return stopper(cancel, done, "kube-apiserver", 10*time.Second), nil
}

// runControllers starts the controller manager; what it returns stops it.
func (c *components) runControllers(failed chan<- error) (func(), error) {
	if !c.runManager {
		return func() {}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	config, err := c.manager.Config(ctx, controllers.KnownControllers(), controllers.ControllersDisabledByDefault(), controllers.ControllerAliases())
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := controllers.Run(ctx, config.Complete()); err != nil && ctx.Err() == nil {
			failed <- fmt.Errorf("kube-controller-manager: %w", err)
		}
	}()
	return stopper(cancel, done, "kube-controller-manager", 5*time.Second), nil
}

// waitReady asks /readyz until it answers 200.
func waitReady(url string, keys *keyFolder, signals <-chan os.Signal, failed <-chan error) error {
	certificate, err := tls.LoadX509KeyPair(keys.path("admin.crt"), keys.path("admin.key"))
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: keys.authorities(), Certificates: []tls.Certificate{certificate}},
	}}
	defer client.CloseIdleConnections()
	last := "no answer"
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); {
		select {
		case <-signals:
			return errors.New("stopped before it was ready")
		case err := <-failed:
			return err
		case <-time.After(25 * time.Millisecond):
		}
		response, err := client.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
		last = string(body)
	}
	return fmt.Errorf("not ready in %s: %s", readyTimeout, last)
}
