package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

var serverNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}

// keyFolder has the certificates and keys of one control plane.
type keyFolder struct {
	dir string
	ca  *x509.Certificate
}

// keyPair is a certificate with its key.
type keyPair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// identity is what one certificate stands for.
type identity struct {
	file    string
	subject pkix.Name
	by      *keyPair // nil for an authority
	usage   x509.ExtKeyUsage
	ips     []net.IP
	names   []string
}

func (k *keyFolder) path(name string) string { return filepath.Join(k.dir, name) }

func (k *keyFolder) authorities() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(k.ca)
	return pool
}

// openKeyFolder reads the folder, or fills it. A folder that is used again keeps its authority and its
// service account key, so that tokens and kubeconfigs stay valid over a restart.
func openKeyFolder(dir string, addresses []string) (*keyFolder, error) {
	k := &keyFolder{dir: dir}
	if data, err := os.ReadFile(k.path("complete")); err == nil {
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, errors.New(k.path("complete") + " holds no certificate")
		}
		k.ca, err = x509.ParseCertificate(block.Bytes)
		return k, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := k.fill(addresses); err != nil {
		return nil, err
	}
	// Written last: a folder without it was not finished, and is filled again.
	return k, writePEM(k.path("complete"), "CERTIFICATE", k.ca.Raw)
}

func (k *keyFolder) fill(addresses []string) error {
	ca, err := k.issue(identity{file: "ca", subject: pkix.Name{CommonName: "control-plane-ca"}})
	if err != nil {
		return err
	}
	k.ca = ca.certificate
	front, err := k.issue(identity{file: "front-ca", subject: pkix.Name{CommonName: "control-plane-front-proxy-ca"}})
	if err != nil {
		return err
	}
	ips := make([]net.IP, 0, len(addresses))
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip != nil {
			ips = append(ips, ip)
		}
	}
	const client, server = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	for _, each := range []identity{
		{file: "apiserver", subject: pkix.Name{CommonName: "kube-apiserver"}, by: ca, usage: server, ips: ips, names: serverNames},
		{file: "admin", subject: pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}}, by: ca, usage: client},
		{file: "kubelet-client", subject: pkix.Name{CommonName: "kube-apiserver-kubelet-client"}, by: ca, usage: client},
		{file: "front-proxy-client", subject: pkix.Name{CommonName: "front-proxy-client"}, by: front, usage: client},
	} {
		if _, err := k.issue(each); err != nil {
			return err
		}
	}
	return k.writeServiceAccountKey()
}

// writeServiceAccountKey makes the key that signs the tokens of service accounts.
func (k *keyFolder) writeServiceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(k.path("sa.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writeKey(k.path("sa.key"), key)
}

// issue makes a key and a certificate and writes both.
func (k *keyFolder) issue(id identity) (*keyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: id.subject, DNSNames: id.names, IPAddresses: id.ips,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	signer := id.by
	if signer == nil {
		template.IsCA, template.KeyUsage = true, template.KeyUsage|x509.KeyUsageCertSign
		signer = &keyPair{template, key}
	} else {
		template.ExtKeyUsage = []x509.ExtKeyUsage{id.usage}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, key.Public(), signer.key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if err := writePEM(k.path(id.file+".crt"), "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return &keyPair{certificate, key}, writeKey(k.path(id.file+".key"), key)
}

// writeKubeconfig writes a kubeconfig with the certificate of one user in it.
func (k *keyFolder) writeKubeconfig(file, server, user string) error {
	encoded := make(map[string]string)
	for _, name := range []string{"ca.crt", user + ".crt", user + ".key"} {
		data, err := os.ReadFile(k.path(name))
		if err != nil {
			return err
		}
		encoded[name] = base64.StdEncoding.EncodeToString(data)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "%s", certificate-authority-data: %s}}]
users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
contexts: [{name: test, context: {cluster: test, user: %[3]s}}]
current-context: test
`, server, encoded["ca.crt"], user, encoded[user+".crt"], encoded[user+".key"])
	return os.WriteFile(file, []byte(text), 0o600)
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
