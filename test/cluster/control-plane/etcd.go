package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// A unix socket's path may have 107 bytes, with the name of the socket.
const socketFolderMax = 90

// startEtcd runs a single member on unix sockets, so that it takes no port.
func startEtcd(dir string) (*embed.Etcd, string, error) {
	sockets := dir
	if len(dir) > socketFolderMax {
		var err error
		if sockets, err = os.MkdirTemp("", "etcd"); err != nil {
			return nil, "", err
		}
	}
	client := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "client.sock")}
	peer := url.URL{Scheme: "unix", Path: filepath.Join(sockets, "peer.sock")}
	_ = os.Remove(client.Path)
	_ = os.Remove(peer.Path)

	config := embed.NewConfig()
	config.Dir = filepath.Join(dir, "etcd")
	config.ListenClientUrls, config.ListenPeerUrls = []url.URL{client}, []url.URL{peer}
	// Advertised addresses must be host:port; with one member nobody dials them.
	config.AdvertiseClientUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:2379"}}
	config.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:2380"}}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.UnsafeNoFsync = true // tests lose nothing by it
	config.EnableGRPCGateway = false
	config.LogLevel = "panic"
	config.QuotaBackendBytes = 8 << 30
	config.TickMs, config.ElectionMs = 10, 100 // the first election is over at once
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	select {
	case <-server.Server.ReadyNotify():
		return server, client.String(), nil
	case err := <-server.Err():
		return nil, "", err
	case <-time.After(30 * time.Second):
		server.Close()
		return nil, "", errors.New("not ready in 30 s")
	}
}
