// SPDX-License-Identifier: LGPL-2.1-or-later

// What Go programs read: members of tars, manifests, indexes and configs. The tests of the tar
// reader and of the documents compare it with what Cambium reads.
//
//	reader tar|manifest|index|config < RECORDS
//
// RECORDS are a length, four bytes with the lowest first, and so many bytes, again and again. For
// each there come lines, and one that says "end", or "error" and why.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

const xattrPrefix = "SCHILY.xattr."

// The name below the root that containerd's applier makes of a member's.
func clean(name string) string {
	return strings.TrimPrefix(filepath.Clean("/"+name), "/")
}

func letter(flag byte) (string, error) {
	const flags, letters = "012345670S", "fhlcbdpfff"
	if at := strings.IndexByte(flags, flag); at >= 0 {
		return letters[at : at+1], nil
	}
	if flag == 0 {
		return "f", nil
	}
	return "", fmt.Errorf("type 0x%02x, which containerd does not make", flag)
}

// Nanoseconds since 1970; 0 where they do not fit.
func nanoseconds(t time.Time) int64 {
	const limit = math.MaxInt64/1000000000 - 1
	if t.Unix() > limit || t.Unix() < -limit {
		return 0
	}
	return t.Unix()*1000000000 + int64(t.Nanosecond())
}

func owner(id int) uint32 {
	if uint32(id) == math.MaxUint32 {
		return 0
	}
	return uint32(id)
}

// What link(2) and symlink(2) take.
func checkLink(h *tar.Header) error {
	if h.Linkname == "" || len(h.Linkname) >= 4096 || strings.IndexByte(h.Linkname, 0) >= 0 {
		return fmt.Errorf("a link to %d bytes", len(h.Linkname))
	}
	return nil
}

func describe(h *tar.Header, content []byte) (string, error) {
	kind, err := letter(h.Typeflag)
	if err != nil {
		return "", err
	}
	link, size := "", int64(0)
	switch kind {
	case "h":
		link = clean(h.Linkname)
		err = checkLink(h)
	case "l":
		link = h.Linkname
		err = checkLink(h)
	case "f":
		size = h.Size
	}
	if strings.IndexByte(h.Name, 0) >= 0 {
		err = fmt.Errorf("a name with a NUL byte")
	}
	major, minor := int64(0), int64(0)
	if kind == "c" || kind == "b" {
		major, minor = h.Devmajor&0xfff, h.Devminor&0xfffff
	}
	var keys, xattrs []string
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, xattrPrefix) {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		name := key[len(xattrPrefix):]
		if name == "" || len(name) > 255 {
			err = fmt.Errorf("an attribute with a name of %d bytes", len(name))
		}
		xattrs = append(xattrs, fmt.Sprintf("%x=%x", name, h.PAXRecords[key]))
	}
	return fmt.Sprintf("%s %x %x %o %d:%d %d %d %d,%d %s %x", kind, clean(h.Name), link,
		h.Mode&07777, owner(h.Uid), owner(h.Gid), size, nanoseconds(h.ModTime), major, minor,
		strings.Join(xattrs, ","), content), err
}

func listTar(data []byte, out io.Writer) error {
	reader := tar.NewReader(struct{ io.Reader }{bytes.NewReader(data)})
	for {
		h, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		var content []byte
		if kind, _ := letter(h.Typeflag); kind != "f" {
			content = nil
		} else if h.Size > 1<<20 {
			// Only its length: holes may be of any size.
			n, err := io.Copy(io.Discard, io.LimitReader(reader, 1<<26))
			if err != nil {
				return err
			}
			content = []byte(fmt.Sprint(n))
			if n == 1<<26 {
				return fmt.Errorf("too large for this test")
			}
		} else if content, err = io.ReadAll(reader); err != nil {
			return err
		}
		line, err := describe(h, content)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, line)
	}
}

type platform struct {
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os.version,omitempty"`
	OSFeatures   []string `json:"os.features,omitempty"`
	Variant      string   `json:"variant,omitempty"`
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	URLs        []string          `json:"urls,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
}

type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Manifests     []descriptor      `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type imageConfig struct {
	platform
	Author string `json:"author,omitempty"`
	Config struct {
		User   string            `json:"User,omitempty"`
		Env    []string          `json:"Env,omitempty"`
		Labels map[string]string `json:"Labels,omitempty"`
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []struct {
		CreatedBy  string `json:"created_by,omitempty"`
		EmptyLayer bool   `json:"empty_layer,omitempty"`
	} `json:"history"`
}

func (d *descriptor) print(out io.Writer, what string) {
	fmt.Fprintf(out, "%s %s %s %d %x", what, d.MediaType, d.Digest, d.Size,
		d.Annotations["org.opencontainers.image.ref.name"])
	if d.Platform != nil {
		fmt.Fprintf(out, " %s/%s/%s", d.Platform.OS, d.Platform.Architecture, d.Platform.Variant)
	}
	fmt.Fprintln(out)
}

func listDocument(data []byte, out io.Writer, isIndex bool) error {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	if isIndex {
		for i := range d.Manifests {
			d.Manifests[i].print(out, "manifest")
		}
		return nil
	}
	d.Config.print(out, "config")
	for i := range d.Layers {
		d.Layers[i].print(out, "layer")
	}
	return nil
}

func listConfig(data []byte, out io.Writer) error {
	var c imageConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s/%s/%s\nuser %x\n", c.OS, c.Architecture, c.Variant, c.Config.User)
	for _, id := range c.RootFS.DiffIDs {
		fmt.Fprintf(out, "layer %s\n", id)
	}
	for _, h := range c.History {
		fmt.Fprintf(out, "history %x %t\n", h.CreatedBy, h.EmptyLayer)
	}
	return nil
}

func list(what string, data []byte, out io.Writer) error {
	switch what {
	case "tar":
		return listTar(data, out)
	case "manifest":
		return listDocument(data, out, false)
	case "index":
		return listDocument(data, out, true)
	case "config":
		return listConfig(data, out)
	}
	return fmt.Errorf("no %q", what)
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var size uint32
		if err := binary.Read(in, binary.LittleEndian, &size); err != nil {
			break
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(in, data); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		var text bytes.Buffer
		err := list(os.Args[1], data, &text)
		out.Write(text.Bytes())
		if err != nil {
			fmt.Fprintln(out, "error", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(out, "end")
		}
	}
	out.Flush()
}
