// Command netprobe is what stands at both ends of a network under test, and what calls plugins as a container runtime does. It is one
// static file, so that it runs in any namespace and in any container.
//
//	netprobe serve [-name NAME] PORT...        answers TCP, UDP and HTTP on these ports of all addresses; prints "ready"
//	netprobe ask tcp|udp HOST:PORT [-from IP]  prints the answer: who was reached, and from which address
//	netprobe ping ADDRESS                      one echo request; fails without an answer
//	netprobe upload HOST:PORT BYTES            sends bytes; prints how many arrived and in which time
//	netprobe download HOST:PORT BYTES          the other way
//	netprobe forward HOST:PORT SOCKET          hands connections on to a Unix socket, which other network namespaces see; prints "ready"
//	netprobe sleep                             does nothing until it is ended
//	netprobe calls                             runs the executables that standard input lists; prints time, exit code and output of each
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// identity is the answer of a server: its name, the address by which it was reached, and the address it was asked from.
type identity struct {
	Name string `json:"name"`
	At   string `json:"at"`
	From string `json:"from"`
}

type transfer struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

func main() {
	if len(os.Args) < 2 {
		fail(errors.New("usage: netprobe serve|ask|ping|upload|download|forward|sleep|calls"))
	}
	// The first process of a container is not ended by signals that it does not handle.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		os.Exit(0)
	}()
	var err error
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "serve":
		err = serve(args)
	case "ask":
		err = ask(args)
	case "ping":
		err = ping(args)
	case "upload", "download":
		err = measure(command, args)
	case "forward":
		err = forward(args)
	case "sleep":
		select {}
	case "calls":
		err = calls()
	default:
		err = fmt.Errorf("unknown command %s", command)
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func print(value any) {
	if err := json.NewEncoder(os.Stdout).Encode(value); err != nil {
		fail(err)
	}
}

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	hostname, _ := os.Hostname()
	name := flags.String("name", hostname, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	failed := make(chan error)
	for _, port := range flags.Args() {
		listener, err := net.Listen("tcp", ":"+port)
		if err != nil {
			return err
		}
		socket, err := net.ListenPacket("udp", ":"+port)
		if err != nil {
			return err
		}
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					failed <- err
					return
				}
				go answer(connection, *name)
			}
		}()
		go func() {
			buffer := make([]byte, 2048)
			for {
				_, from, err := socket.ReadFrom(buffer)
				if err != nil {
					failed <- err
					return
				}
				text, _ := json.Marshal(identity{*name, socket.LocalAddr().String(), from.String()})
				_, _ = socket.WriteTo(text, from)
			}
		}()
	}
	fmt.Println("ready")
	return <-failed
}

// answer speaks lines: "who", "sink" (reads to the end), "source BYTES", and enough of HTTP for a GET.
func answer(connection net.Conn, name string) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	reader := bufio.NewReader(connection)
	line, err := reader.ReadString('\n')
	if err != nil {
		return
	}
	who, _ := json.Marshal(identity{name, connection.LocalAddr().String(), connection.RemoteAddr().String()})
	switch words := strings.Fields(line); {
	case len(words) == 0:
	case words[0] == "who":
		_, _ = connection.Write(append(who, '\n'))
	case words[0] == "sink":
		bytes, seconds := drain(reader)
		text, _ := json.Marshal(transfer{bytes, seconds})
		_, _ = connection.Write(append(text, '\n'))
	case words[0] == "source" && len(words) == 2:
		count, _ := strconv.ParseInt(words[1], 10, 64)
		_, _ = io.CopyN(connection, zeros{}, count)
	case words[0] == "GET":
		for line != "\r\n" && line != "\n" && err == nil {
			line, err = reader.ReadString('\n')
		}
		fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(who), who)
	}
}

type zeros struct{}

func (zeros) Read(buffer []byte) (int, error) { return len(buffer), nil }

// drain reads to the end; the time is that between the first and the last byte.
func drain(reader io.Reader) (int64, float64) {
	var total int64
	var first, last time.Time
	buffer := make([]byte, 64*1024)
	for {
		count, err := reader.Read(buffer)
		if count > 0 {
			last = time.Now()
			if total == 0 {
				first = last
			}
			total += int64(count)
		}
		if err != nil {
			return total, last.Sub(first).Seconds()
		}
	}
}

func ask(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: netprobe ask tcp|udp HOST:PORT")
	}
	flags := flag.NewFlagSet("ask", flag.ExitOnError)
	from := flags.String("from", "", "")
	timeout := flags.Duration("timeout", 2*time.Second, "")
	if err := flags.Parse(args[2:]); err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: *timeout}
	if *from != "" {
		if args[0] == "udp" {
			dialer.LocalAddr = &net.UDPAddr{IP: net.ParseIP(*from)}
		} else {
			dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(*from)}
		}
	}
	connection, err := dialer.Dial(args[0], args[1])
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(*timeout))
	if _, err := connection.Write([]byte("who\n")); err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	count, err := connection.Read(buffer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(append(bytes.TrimSpace(buffer[:count]), '\n'))
	return err
}

// ping sends an ICMP echo request (RFC 792, RFC 4443) and waits a second for the answer to it.
func ping(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: netprobe ping ADDRESS")
	}
	network, request, reply := "ip4:icmp", byte(8), byte(0)
	if strings.Contains(args[0], ":") {
		network, request, reply = "ip6:ipv6-icmp", 128, 129
	}
	address, err := net.ResolveIPAddr("ip", args[0])
	if err != nil {
		return err
	}
	connection, err := net.DialIP(network, nil, address)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Second))
	identifier := uint16(os.Getpid())
	packet := []byte{request, 0, 0, 0, byte(identifier >> 8), byte(identifier), 0, 1}
	if request == 8 {
		// Of ICMPv6 the kernel sums up.
		var sum uint32
		for index := 0; index < len(packet); index += 2 {
			sum += uint32(packet[index])<<8 | uint32(packet[index+1])
		}
		sum = sum&0xffff + sum>>16
		packet[2], packet[3] = byte(^sum>>8), byte(^sum)
	}
	if _, err := connection.Write(packet); err != nil {
		return err
	}
	buffer := make([]byte, 1500)
	for {
		// Unlike Read, it leaves out the header of IPv4.
		count, _, err := connection.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if count >= 8 && buffer[0] == reply && bytes.Equal(buffer[4:8], packet[4:8]) {
			return nil
		}
	}
}

func measure(direction string, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: netprobe %s HOST:PORT BYTES", direction)
	}
	count, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	connection, err := net.DialTimeout("tcp", args[0], 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(time.Minute))
	if direction == "download" {
		if _, err := fmt.Fprintf(connection, "source %d\n", count); err != nil {
			return err
		}
		bytes, seconds := drain(connection)
		print(transfer{bytes, seconds})
		return nil
	}
	if _, err := io.WriteString(connection, "sink\n"); err != nil {
		return err
	}
	if _, err := io.CopyN(connection, zeros{}, count); err != nil {
		return err
	}
	_ = connection.(*net.TCPConn).CloseWrite()
	_, err = io.Copy(os.Stdout, connection)
	return err
}

func forward(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: netprobe forward HOST:PORT SOCKET")
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		near, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer near.Close()
			far, err := net.Dial("unix", args[1])
			if err != nil {
				return
			}
			defer far.Close()
			done := make(chan struct{}, 2)
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				go func() {
					_, _ = io.Copy(pair[0], pair[1])
					done <- struct{}{}
				}()
			}
			<-done
		}()
	}
}

// call is one execution; calls with the same wave run at the same time, waves one after the other.
type call struct {
	Path  string   `json:"path"`
	Env   []string `json:"env"`
	Stdin string   `json:"stdin"`
	Wave  int      `json:"wave"`
	// Nanoseconds after which it is killed; 0: never.
	KillAfter int64 `json:"killAfter"`
}

type called struct {
	// From the first call on.
	Began int64 `json:"began"`
	// From before the process is started until it has ended and all of its output is read.
	Nanoseconds int64  `json:"nanoseconds"`
	ExitCode    int    `json:"exitCode"`
	Stdout      string `json:"stdout"`
	Stderr      string `json:"stderr"`
}

func calls() error {
	var list []call
	if err := json.NewDecoder(os.Stdin).Decode(&list); err != nil {
		return err
	}
	results := make([]called, len(list))
	first := time.Now()
	for start := 0; start < len(list); {
		end := start
		var running sync.WaitGroup
		for end < len(list) && list[end].Wave == list[start].Wave {
			running.Add(1)
			go func(index int) {
				defer running.Done()
				results[index] = execute(list[index], first)
			}(end)
			end++
		}
		running.Wait()
		start = end
	}
	print(results)
	return nil
}

func execute(each call, first time.Time) called {
	var stdout, stderr bytes.Buffer
	command := exec.Cmd{Path: each.Path, Args: []string{each.Path}, Env: each.Env, Stdin: strings.NewReader(each.Stdin), Stdout: &stdout, Stderr: &stderr}
	began := time.Now()
	err := command.Start()
	if err == nil {
		if each.KillAfter > 0 {
			defer time.AfterFunc(time.Duration(each.KillAfter), func() { _ = command.Process.Kill() }).Stop()
		}
		err = command.Wait()
	}
	result := called{Began: began.Sub(first).Nanoseconds(), Nanoseconds: time.Since(began).Nanoseconds(), Stdout: stdout.String(), Stderr: stderr.String()}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		result.ExitCode = ended.ExitCode()
	} else if err != nil {
		result.ExitCode, result.Stderr = -1, err.Error()
	}
	return result
}
