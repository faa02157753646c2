// control-plane runs etcd, kube-apiserver and kube-controller-manager in one process, for tests.
//
//	control-plane --dir DIR [--port N] [--apiserver-arg FLAG]… [--controller-manager-arg FLAG]…
//
// It prints `ready URL KUBECONFIG` on standard output when the API server answers /readyz. SIGTERM ends it.
// A folder that is used again keeps its data, its certificates and its service account key.
//
// There is no kubelet: Pods are made and patched by the tests. There is no scheduler either.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/klog/v2"
)

// What the tests use. Each controller costs memory and start time.
const defaultControllers = "endpointslice-controller,endpointslice-mirroring-controller,endpoints-controller," +
	"deployment-controller,replicaset-controller,namespace-controller,garbage-collector-controller,serviceaccount-controller"

type settings struct {
	dir, bind, advertise, serviceCIDR, controllers, verbosity string
	port                                                      int
	apiServerArgs, controllerManagerArgs                      repeated
}

// repeated is a flag that may be given more than once.
type repeated []string

func (r *repeated) String() string         { return strings.Join(*r, " ") }
func (r *repeated) Set(value string) error { *r = append(*r, value); return nil }

func main() {
	if err := run(parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
}

func parseFlags() *settings {
	s := &settings{}
	set := flag.NewFlagSet("control-plane", flag.ExitOnError)
	set.StringVar(&s.dir, "dir", "", "data folder, made if it is missing")
	set.IntVar(&s.port, "port", 0, "port of the API server; 0 picks a free one")
	set.StringVar(&s.bind, "bind", "127.0.0.1", "address of the API server")
	set.StringVar(&s.advertise, "advertise", "192.0.2.1", "address that the API server advertises (it refuses loopback)")
	set.StringVar(&s.serviceCIDR, "service-cidr", "10.96.0.0/16", "cluster IP ranges of Services")
	set.StringVar(&s.controllers, "controllers", defaultControllers, "controllers to run; empty: none")
	set.StringVar(&s.verbosity, "v", "0", "verbosity of the API server's log")
	set.Var(&s.apiServerArgs, "apiserver-arg", "one more flag for kube-apiserver; repeatable")
	set.Var(&s.controllerManagerArgs, "controller-manager-arg", "one more flag for kube-controller-manager; repeatable")
	_ = set.Parse(os.Args[1:])
	return s
}

func run(s *settings) error {
	if s.dir == "" {
		return errors.New("--dir is required")
	}
	var err error
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)

	// The listener comes first and is handed over, so that the port is known and owned from here on.
	listener, err := net.Listen("tcp", net.JoinHostPort(s.bind, fmt.Sprint(s.port)))
	if err != nil {
		return err
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	server := "https://" + net.JoinHostPort(s.bind, fmt.Sprint(s.port))

	keys, err := openKeyFolder(filepath.Join(s.dir, "pki"), s.certificateAddresses())
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(s.dir, "admin.kubeconfig")
	if err := keys.writeKubeconfig(kubeconfig, server, "admin"); err != nil {
		return err
	}
	etcd, etcdURL, err := startEtcd(s.dir)
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	closeEtcd := sync.OnceFunc(etcd.Close) // a second Close panics
	defer closeEtcd()

	components, err := newComponents(s, keys, kubeconfig, etcdURL, listener)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	stopServer, err := components.runServer(failed)
	if err != nil {
		return err
	}
	defer stopServer()
	if err := waitReady(server+"/readyz", keys, signals, failed); err != nil {
		return err
	}
	stopControllers, err := components.runControllers(failed)
	if err != nil {
		return err
	}
	defer stopControllers()
	fmt.Printf("ready %s %s\n", server, kubeconfig)

	select {
	case <-signals:
	case err = <-failed:
	}
	// Deferred calls run in reverse order: controllers, API server, etcd.
	klog.Flush()
	return err
}

// certificateAddresses are the names under which clients reach the API server.
func (s *settings) certificateAddresses() []string {
	addresses := []string{"127.0.0.1", s.bind, s.advertise}
	for _, cidr := range strings.Split(s.serviceCIDR, ",") {
		if ip, _, err := net.ParseCIDR(cidr); err == nil {
			ip[len(ip)-1]++ // the Service default/kubernetes
			addresses = append(addresses, ip.String())
		}
	}
	return addresses
}

// stopper ends what runs under cancel, and waits a bounded time for it.
func stopper(cancel context.CancelFunc, done <-chan struct{}, name string, limit time.Duration) func() {
	return sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(limit):
			fmt.Fprintf(os.Stderr, "control-plane: %s did not stop in %s\n", name, limit)
		}
	})
}
